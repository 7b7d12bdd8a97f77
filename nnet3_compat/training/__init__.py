"""nnet3's training rules, one module for each, and the trainer that applies them in Kaldi's order."""
