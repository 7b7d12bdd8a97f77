"""Programs for data directories and stores."""
