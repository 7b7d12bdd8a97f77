"""One small file for each program of the steps."""
