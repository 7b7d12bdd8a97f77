"""What is done to waveforms and features in training, at random, so that a model learns to hear through it."""
