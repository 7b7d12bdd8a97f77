"""What OpenFst's headers say is known of an FST (fst/properties.h): a bit for each property, one for its opposite."""

from __future__ import annotations

from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst_header import EXPANDED, MUTABLE

ACCEPTOR, NOT_ACCEPTOR = 1 << 16, 1 << 17
INPUT_DETERMINISTIC = 1 << 18
NO_INPUT_DETERMINISM, NO_OUTPUT_DETERMINISM = 1 << 19, 1 << 21
EPSILONS, NO_EPSILONS = 1 << 22, 1 << 23
INPUT_EPSILONS, NO_INPUT_EPSILONS = 1 << 24, 1 << 25
OUTPUT_EPSILONS, NO_OUTPUT_EPSILONS = 1 << 26, 1 << 27
INPUT_SORTED, NOT_INPUT_SORTED = 1 << 28, 1 << 29
OUTPUT_SORTED, NOT_OUTPUT_SORTED = 1 << 30, 1 << 31
WEIGHTED, UNWEIGHTED = 1 << 32, 1 << 33
CYCLIC, ACYCLIC = 1 << 34, 1 << 35
INITIAL_CYCLIC, INITIAL_ACYCLIC = 1 << 36, 1 << 37
TOP_SORTED, NOT_TOP_SORTED = 1 << 38, 1 << 39
ACCESSIBLE, NOT_ACCESSIBLE = 1 << 40, 1 << 41
COACCESSIBLE, NOT_COACCESSIBLE = 1 << 42, 1 << 43
STRING, NOT_STRING = 1 << 44, 1 << 45
WEIGHTED_CYCLES, UNWEIGHTED_CYCLES = 1 << 46, 1 << 47

CONNECTED = ACCESSIBLE | COACCESSIBLE
_ABOUT_SOME = (
    NOT_ACCEPTOR | NO_INPUT_DETERMINISM | NO_OUTPUT_DETERMINISM | EPSILONS | INPUT_EPSILONS | OUTPUT_EPSILONS
    | NOT_INPUT_SORTED | NOT_OUTPUT_SORTED | WEIGHTED | WEIGHTED_CYCLES | CYCLIC | NOT_ACCESSIBLE | NOT_COACCESSIBLE
)  # fmt: skip


def of_sorted(properties: int) -> int:
    """After its states were sorted topologically (fst/topsort.h)."""
    return int(_csrc.topologically_sorted(properties))


def of_concatenated(first: int, second: int) -> int:
    """Of one FST and then another (ConcatProperties)."""
    known = (ACCEPTOR | UNWEIGHTED | UNWEIGHTED_CYCLES | ACYCLIC) & first & second
    known |= (NOT_TOP_SORTED | NOT_STRING) & (first | second)
    known |= (EXPANDED | MUTABLE | INITIAL_ACYCLIC | INITIAL_CYCLIC | _ABOUT_SOME) & first
    if first & CONNECTED == CONNECTED:
        known |= (CONNECTED | _ABOUT_SOME) & second
    return known
