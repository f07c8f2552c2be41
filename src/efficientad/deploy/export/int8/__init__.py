"""The INT8 model: what is quantised, and which candidate keeps the accuracy of the float model."""
