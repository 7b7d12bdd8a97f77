"""The programs that need a network, in the folders that Kaldi keeps them in."""
