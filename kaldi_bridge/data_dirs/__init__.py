"""Data directories, and the recordings that they name."""
