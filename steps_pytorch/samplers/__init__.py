"""Samplers of energy-based models."""
