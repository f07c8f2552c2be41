"""What is learnt without gradients: memory bank, map quantiles, threshold."""
