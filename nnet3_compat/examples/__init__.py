"""Training examples for networks: made, copied, merged, put through one."""
