"""What a network is made of and how its parts depend on each other; without torch."""
