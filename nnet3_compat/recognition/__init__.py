"""Whole models, as they are handed on, and what they hear in samples (the place of Vosk's library)."""
