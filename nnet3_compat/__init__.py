"""Kaldi's nnet3 networks in PyTorch."""
