"""Synthetic products with exact defect masks: a washer, a woven fabric and a circuit board."""
