"""Images from files or drawn, to arrays at the model's resolution."""
