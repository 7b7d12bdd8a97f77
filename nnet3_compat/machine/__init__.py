"""The machine: its device, its memory, its installed programs."""
