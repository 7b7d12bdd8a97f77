"""I-vectors of an existing extractor, estimated while features come in."""
