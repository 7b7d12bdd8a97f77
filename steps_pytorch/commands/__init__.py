"""One small file for each program of the steps."""

from kaldi_bridge.blas import prefer_one_thread

prefer_one_thread()  # programs import this package first of all
