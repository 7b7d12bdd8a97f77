"""Lattices: the search that makes them, and what is done with them."""
