"""A compressor for "shorten", as simple as it gets: each block by the next of the predictors."""

from __future__ import annotations

import itertools

import numpy as np

DIFFERENCES, QUIT, BLOCK_SIZE, SHIFT, LINEAR, ZERO = (0, 1, 2, 3), 4, 5, 6, 7, 8
COEFFICIENTS = [24, -6, 3]  # of 1/32
AVERAGED = 4


class Encoder:
    """Writes blocks of samples; ``close`` returns the data."""

    def __init__(self, kind: int, channels: int, version: int = 2) -> None:
        self._bits: list[int] = []
        self._version = version
        self._shift = 0
        self._pasts = np.zeros((channels, 3), np.int64)
        self._means = [[0] * AVERAGED for _ in range(channels)]
        self._functions = itertools.cycle([*DIFFERENCES, LINEAR])
        for number in (kind, channels, 256, len(COEFFICIENTS), AVERAGED, 0):
            self._number(number)

    def blocks(self, samples: np.ndarray, size: int) -> None:
        """All samples [samples, channels], in blocks of ``size``."""
        self._rice(BLOCK_SIZE, 2)
        self._number(size)
        for begin in range(0, len(samples), size):
            block = samples[begin : begin + size].astype(np.int64)
            assert len(block) == size, "blocks must divide the samples"
            for channel in range(block.shape[1]):
                self._block(block[:, channel], channel)

    def close(self) -> bytes:
        """What was written."""
        self._rice(QUIT, 2)
        return b"ajkg" + bytes([self._version]) + np.packbits(self._bits).tobytes()

    def _block(self, block: np.ndarray, channel: int) -> None:
        shift = 0
        while block.any() and not (block & ((2 << shift) - 1)).any():
            shift += 1
        if shift != self._shift:
            self._rice(SHIFT, 2)
            self._rice(shift, 2)
            self._shift = shift
        block = block >> shift
        offset = self._offset(channel)
        x = np.concatenate([self._pasts[channel], block])
        if not block.any():
            self._rice(ZERO, 2)
        else:
            function = next(self._functions)
            self._rice(function, 2)
            if function == LINEAR:
                centred = x - offset
                rounding = 32 if self._version >= 2 else 0
                past = sum(c * centred[2 - j : -1 - j] for j, c in enumerate(COEFFICIENTS))
                left = centred[3:] - ((past + rounding) >> 5)
            else:
                left = np.diff(x, function)[3 - function :] if function else x[3:] - offset
            low = max(int(np.abs(left).mean()), 1).bit_length()
            self._rice(low, 3)
            if function == LINEAR:
                self._rice(len(COEFFICIENTS), 2)
                for coefficient in COEFFICIENTS:
                    self._signed(coefficient, 5)
            for value in left.tolist():
                self._signed(value, low)
        self._pasts[channel] = x[-3:]
        total = int(block.sum()) + (len(block) // 2 if self._version >= 2 else 0)
        mean = int(total / len(block))
        self._means[channel] = [*self._means[channel][1:], mean << self._shift if self._version >= 2 else mean]

    def _offset(self, channel: int) -> int:
        total = sum(self._means[channel]) + (AVERAGED // 2 if self._version >= 2 else 0)
        mean = int(total / AVERAGED)
        return mean >> self._shift if self._version >= 2 else mean

    def _rice(self, value: int, low: int) -> None:
        self._bits += [0] * (value >> low) + [1] + [value >> i & 1 for i in reversed(range(low))]

    def _signed(self, value: int, low: int) -> None:
        self._rice(2 * value if value >= 0 else -2 * value - 1, low + 1)

    def _number(self, value: int) -> None:
        low = value.bit_length()
        self._rice(low, 2)
        self._rice(value, low)
