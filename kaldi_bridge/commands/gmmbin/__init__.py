"""Programs that Kaldi keeps in src/gmmbin."""
