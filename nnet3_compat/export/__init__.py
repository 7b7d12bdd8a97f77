"""Networks and users' own modules made into files that run elsewhere."""
