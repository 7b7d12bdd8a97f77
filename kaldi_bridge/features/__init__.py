"""Features: made, normalized, transformed, stored, turned back into sound."""
