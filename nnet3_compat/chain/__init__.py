"""LF-MMI, Kaldi's chain objective (Povey et al., Interspeech 2016)."""
