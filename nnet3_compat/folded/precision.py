"""In which precision a network is computed: the option, and what it means where nothing is said."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError

FLOAT32, BFLOAT16, INT8 = "float32", "bfloat16", "int8"
PRECISIONS = (FLOAT32, BFLOAT16, INT8)


@dataclass(kw_only=True)  # other options may be given by their places
class PrecisionOptions:
    """Of all programs that compute networks."""

    precision: str = option(
        "",
        f"{'|'.join(PRECISIONS)}: what matrix products are computed in, on a CPU and for networks that need no torch. "
        "Default: int8 for a model that was exported so, float32 for others",
    )

    def check_precision(self) -> None:
        """Raises KaldiError for one that there is not."""
        if self.precision not in ("", *PRECISIONS):
            raise KaldiError(f"--precision={self.precision}: it must be one of {', '.join(PRECISIONS)}")


def expect_float32(precision: str, name: str, why: str) -> None:
    """Where torch computes. Raises KaldiError where another precision was asked for."""
    if precision not in ("", FLOAT32):
        raise KaldiError(f"{name}: --precision={precision} is for nnet3 networks on a CPU that need no torch; {why}")
