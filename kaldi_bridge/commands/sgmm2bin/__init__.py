"""Programs that Kaldi keeps in src/sgmm2bin."""
