"""What changes over a run."""
