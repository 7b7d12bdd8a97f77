"""Linear transforms and normalization of features, and their estimation."""
