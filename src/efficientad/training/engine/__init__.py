"""What both trainings use: the resumable loop, optimisers, arithmetic, kept features, several processes."""
