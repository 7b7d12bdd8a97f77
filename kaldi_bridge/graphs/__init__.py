"""Graphs of HMMs, lexicon and words: for decoding and for training."""
