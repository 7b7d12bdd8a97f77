"""Programs that Kaldi keeps in src/ivectorbin."""
