"""NumPy's BLAS in our programs: one thread, as in Kaldi's.

OpenBLAS makes a thread for each core when NumPy is imported, and these wait for work in a loop that computes nothing:
0.1 s of CPU for each program that starts, on two cores, and two thirds of all CPU of a server of streams. Programs
have threads of their own where threads help.
"""

import os

_USERS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")  # what OpenBLAS looks at, in this order


def prefer_one_thread() -> None:
    """Before NumPy is imported; has no effect where the environment says how many threads there shall be."""
    if not any(name in os.environ for name in _USERS):
        os.environ[_USERS[0]] = "1"
