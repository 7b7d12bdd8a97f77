"""Programs for lang directories, grammars and graphs."""
