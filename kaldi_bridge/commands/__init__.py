"""The programs that compute no network, in the folders that Kaldi keeps them in."""
