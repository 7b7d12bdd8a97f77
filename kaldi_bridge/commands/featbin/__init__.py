"""Programs that Kaldi keeps in src/featbin."""
