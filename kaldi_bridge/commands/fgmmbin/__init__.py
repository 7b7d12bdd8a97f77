"""Programs that Kaldi keeps in src/fgmmbin."""
