"""Student and autoencoder against a teacher (Algorithm 1)."""
