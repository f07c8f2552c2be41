"""Prepared arrays and their reading: what every stage after prepare starts from."""
