"""Programs that Kaldi keeps in src/fstbin."""
