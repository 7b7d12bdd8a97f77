"""Model directories: what their networks and mixtures take as input."""
