"""Models and their files, and what is done to a whole network; without torch."""
