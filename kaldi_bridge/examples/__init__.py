"""Training examples and supervision, as Kaldi's .egs and .cegs have them."""
