"""What a person and programs see of a run."""
