"""Weighted finite-state transducers and what is done to them."""
