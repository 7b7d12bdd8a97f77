"""Phonetic decision trees from statistics of aligned features: questions, splits, clusters (Kaldi's tree/)."""
