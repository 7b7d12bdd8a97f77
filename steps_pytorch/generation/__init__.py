"""Samples of trained models to look at and to listen to."""
