"""Samples as they are handed over, in pieces of any size: bytes of 16-bit PCM, or arrays."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError

Samples = bytes | bytearray | memoryview | np.ndarray


class SampleReader:
    """Of one stream. A byte that is left over at the end of a piece goes with the next one."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def has_rest(self) -> bool:
        """Whether half a sample waits for its other half."""
        return bool(self._rest)

    def read(self, data: Samples) -> np.ndarray:
        """float32 [samples], at the scale of 16-bit integers.

        Args:
            data: bytes of little-endian 16-bit integers of one channel; or [samples], integers of 16 bits or floating
                point numbers at their scale.
        Raises:
            KaldiError: anything else, or numbers that are not finite.
        """
        if not isinstance(data, np.ndarray):
            raw = self._rest + bytes(data)
            whole = len(raw) - len(raw) % 2
            self._rest = raw[whole:]
            return np.frombuffer(raw[:whole], "<i2").astype(np.float32)
        if self._rest:
            raise KaldiError("an array follows an odd number of bytes, which end in the middle of a sample")
        if data.ndim != 1:
            raise KaldiError(f"samples have one dimension, [samples], not {data.ndim}: hand over one channel")
        if data.dtype != np.int16 and data.dtype.kind != "f":
            raise KaldiError(f"samples are 16-bit integers or floating point numbers, not {data.dtype}")
        samples = data.astype(np.float32)
        if not np.isfinite(samples).all():
            raise KaldiError("samples are not finite")
        return samples

    def clear(self) -> None:
        """Forgets the rest."""
        self._rest = b""
