"""Bytes in and out: extended filenames, streams, basic types, matrices (Kaldi's base, util and matrix)."""
