"""What Kaldi's RNNLM programs need besides a network: examples, language models to sample from, word features (rnnlm/)."""
