"""Programs that Kaldi keeps in src/lmbin."""
