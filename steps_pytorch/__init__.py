"""Training and decoding steps that recipes call."""
