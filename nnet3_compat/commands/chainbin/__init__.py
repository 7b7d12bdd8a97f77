"""Programs that Kaldi keeps in src/chainbin."""
