"""How derivatives become changes of parameters."""
