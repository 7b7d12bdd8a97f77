"""Which objectives there are."""

from __future__ import annotations

from collections.abc import Sequence

from steps_pytorch.objectives.base import Objective
from steps_pytorch.registry import Dimensions, Registry

OBJECTIVES = Registry[Objective](
    "objective",
    "steps_pytorch.objectives",
    ("cross_entropy", "lfmmi", "l2", "cross_entropy_ebm", "lfmmi_ebm", "lattice_based"),
)


def build_objective(name: str, words: Sequence[str], dimensions: Dimensions) -> Objective:
    """``words``: its own options, ``--name=value`` each.

    Raises KaldiError for an unknown name or option, or files that cannot be read.
    """
    return OBJECTIVES.build(name, words, dimensions)
