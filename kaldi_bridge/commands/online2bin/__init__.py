"""Programs that Kaldi keeps in src/online2bin."""
