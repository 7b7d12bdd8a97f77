"""Acoustic models by name."""
