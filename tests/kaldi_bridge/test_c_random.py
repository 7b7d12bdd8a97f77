"""Random numbers as Kaldi's programs draw them."""

import ctypes
import platform
from random import Random

import numpy as np
import pytest

from kaldi_bridge.c_random import RAND_MAX, CRandom


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="rand() of the GNU C library")
@pytest.mark.parametrize("seed", [0, 1, 2, 12345, -7, RAND_MAX, -(1 << 31), (1 << 32) - 1])
def test_numbers_of_the_c_library(seed: int) -> None:
    libc = ctypes.CDLL(None)
    libc.srand(ctypes.c_uint(seed & 0xFFFFFFFF))
    random = CRandom(seed)
    assert [random.rand() for _ in range(1000)] == [libc.rand() for _ in range(1000)]


def test_first_numbers_of_a_program_that_chose_no_seed() -> None:
    random = CRandom(1)
    assert [random.rand() for _ in range(4)] == [1804289383, 846930886, 1681692777, 1714636915]


def test_a_generator_of_pythons() -> None:
    random = CRandom(3)
    assert isinstance(random, Random)
    assert np.mean([random.random() for _ in range(5000)]) == pytest.approx(0.5, abs=0.02)
    assert np.bincount([random.randrange(5) for _ in range(5000)]) == pytest.approx(1000, abs=120)
    assert all(0 <= random.getrandbits(k) < 1 << k for k in (1, 7, 24, 25, 100))
    order = list(range(50))
    random.shuffle(order)
    assert sorted(order) == list(range(50)) != order


def test_integers_and_probabilities() -> None:
    random = CRandom(1)
    drawn = [random.rand_int(-2, 3) for _ in range(3000)]
    assert set(drawn) == set(range(-2, 4))
    state = random.rand_int(4, 4), CRandom(5).rand()
    assert state == (4, CRandom(5).rand())
    assert not any(random.with_prob(0.0) for _ in range(50)) and all(random.with_prob(1.0) for _ in range(50))
    assert np.mean([random.with_prob(0.3) for _ in range(5000)]) == pytest.approx(0.3, abs=0.03)
    assert sum(random.with_prob(1e-8) for _ in range(5000)) == 0
