"""Programs that Kaldi keeps in src/latbin."""
