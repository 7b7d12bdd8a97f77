"""Which input times a component reads for an output (Kaldi: GetInputIndexes, IsComputable of each component)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Taps:
    """For output time t the times ``offsets`` from t, or from t rounded down to a multiple of ``period``.

    Attributes:
        required: per tap, whether there is no output where it is missing. Default: all are.
        any_of: no output where all taps are missing.
        multiple_of: outputs exist at multiples of it only.
    """

    offsets: tuple[int, ...]
    required: tuple[bool, ...] = ()
    any_of: bool = False
    period: int = 1
    multiple_of: int = 1

    def __post_init__(self) -> None:
        if not self.required:
            object.__setattr__(self, "required", (not self.any_of,) * len(self.offsets))

    def times(self, t: int) -> list[int]:
        """Input times that the output at time ``t`` may use, in order."""
        start = t // self.period * self.period
        return [start + offset for offset in self.offsets]
