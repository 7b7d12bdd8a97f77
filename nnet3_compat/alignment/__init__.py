"""Text aligned with speech: when each word and phone of a transcript is said."""
