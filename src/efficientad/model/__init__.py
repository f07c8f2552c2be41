"""The networks, and the detector that is exported: image to anomaly map and score."""
