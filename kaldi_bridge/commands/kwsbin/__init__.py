"""Programs that Kaldi keeps in src/kwsbin."""
