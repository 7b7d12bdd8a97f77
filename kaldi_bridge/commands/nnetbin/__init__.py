"""Programs that Kaldi keeps in src/nnetbin."""
