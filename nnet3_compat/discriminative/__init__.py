"""Discriminative training on lattices of what might have been said: MMI, boosted MMI, MPFE, sMBR."""
