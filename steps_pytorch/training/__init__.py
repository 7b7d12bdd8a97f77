"""Training on the fly: one loop, and small modules for what it needs."""
