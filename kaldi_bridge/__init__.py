"""Kaldi's files, streams, tables and command line, without Kaldi and without torch."""
