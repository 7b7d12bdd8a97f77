"""Programs that Kaldi keeps in src/nnet2bin."""
