"""Programs for models that Kaldi does not have."""
