"""LDC's program that Kaldi's recipes read SPHERE files with."""
