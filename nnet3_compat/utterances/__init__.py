"""Networks over whole utterances, offline and while they come in."""
