"""Objectives over examples, without training."""
