#!/usr/bin/env python3
"""A share of the lines of the standard input, always the same ones, chosen at random: choose.py 0.1"""

import random
import sys

lines = sys.stdin.readlines()
sys.stdout.writelines(sorted(random.Random(0).sample(lines, round(float(sys.argv[1]) * len(lines)))))
