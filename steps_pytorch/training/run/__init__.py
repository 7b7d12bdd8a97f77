"""A run of training, from its options to its final model."""
