"""Programs that Kaldi keeps in src/nnet3bin."""
