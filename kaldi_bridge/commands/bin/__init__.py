"""Programs that Kaldi keeps in src/bin."""
