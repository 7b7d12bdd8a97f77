"""Phones as hidden Markov models: topology, transition model, tree, alignments (Kaldi's hmm and tree)."""
