"""Chunks of utterances for training, made on the fly from memory-mapped features or from audio."""
