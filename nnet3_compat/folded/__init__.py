"""A network for computing only, without torch: folded in numpy, computed in C++."""
