"""Kaldi's recurrent language models: nnet3 networks from word embedding to word embedding."""
