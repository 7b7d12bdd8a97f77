"""Programs that Kaldi keeps in src/rnnlmbin."""
