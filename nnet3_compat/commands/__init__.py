"""One small file per program: each only parses, calls and reports."""
