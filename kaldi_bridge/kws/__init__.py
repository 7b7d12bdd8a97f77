"""Keyword search: indices of lattices, what is found in them, and how well."""
