"""The programs that need a network, in the folders that Kaldi keeps them in."""

from kaldi_bridge.blas import prefer_one_thread

prefer_one_thread()  # programs import this package first of all
