"""Lang directories and what they are made of: dictionaries, lexicons, grammars."""
