"""The mel scale, its triangular bins, warped for vocal tracts, and cepstra; rounded as by Kaldi.

Source: feat/mel-computations.cc, feat/feature-mfcc.cc.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc


def mel(frequency: np.ndarray | float) -> np.ndarray:
    """Of a frequency in Hz, float32."""
    ratio = 1 + np.asarray(frequency, np.float32) / np.float32(700)
    return np.float32(1127) * np.asarray(_csrc.logarithms(ratio), np.float32)


def mel_edges(num_bins: int, low: float, high: float) -> np.ndarray:
    """[num_bins + 2], float32: from ``low`` to ``high`` Hz. Each bin lies from one to the next but one."""
    step = (mel(high) - mel(low)) / np.float32(num_bins + 1)
    return mel(low) + np.arange(num_bins + 2, dtype=np.float32) * step


def bin_centers(num_bins: int, low: float, high: float) -> np.ndarray:
    """[num_bins], in Hz."""
    return 700.0 * np.expm1(mel_edges(num_bins, low, high)[1:-1] / 1127.0)


@dataclass(frozen=True)
class VtlnRange:
    """Between which frequencies in Hz the whole warp of a vocal tract holds; towards the edges it fades."""

    low: float
    high: float


def inverse_mel(mels: np.ndarray) -> np.ndarray:
    """Frequencies in Hz, float32, of points of the mel scale."""
    ratio = np.asarray(mels, np.float32) / np.float32(1127)
    return np.float32(700) * (np.exp(ratio.astype(np.float64)).astype(np.float32) - np.float32(1))


def vtln_warped(frequencies: np.ndarray, low: float, high: float, vtln: VtlnRange, warp: float) -> np.ndarray:
    """Frequencies in Hz, float32, as a vocal tract warps bins from ``low`` to ``high`` (MelBanks::VtlnWarpFreq).

    Piecewise linear: f / warp in the range, less towards the edges, which stay where they are. Raises KaldiError where
    the range does not lie within the edges.
    """
    if not (vtln.low >= 0 and low < vtln.low < high and 0 < vtln.high < high and vtln.low < vtln.high):
        raise KaldiError(
            f"Bad values in options: vtln-low {vtln.low:g} and vtln-high {vtln.high:g}, versus low-freq {low:g} "
            f"and high-freq {high:g}"
        )
    if not warp > 0:
        raise KaldiError(f"a VTLN warp of {warp:g} is not positive")
    one, factor, first, last = np.float32(1), np.float32(warp), np.float32(low), np.float32(high)
    scale = one / factor
    left, right = np.float32(vtln.low) * max(one, factor), np.float32(vtln.high) * min(one, factor)
    if not first < left <= right < last:
        raise KaldiError(f"a VTLN warp of {warp:g} is out of range")
    slope_left, slope_right = (scale * left - first) / (left - first), (last - scale * right) / (last - right)
    warped: np.ndarray = np.select(
        [(frequencies < first) | (frequencies > last), frequencies < left, frequencies < right],
        [frequencies, first + slope_left * (frequencies - first), scale * frequencies],
        last + slope_right * (frequencies - last),
    )
    return warped.astype(np.float32)


@dataclass(frozen=True)
class MelBanks:
    """Triangular bins on the mel scale.

    Attributes:
        weights: [bins, frequencies], float32: what each frequency of a spectrum weighs in each bin.
        centers: [bins], float32, in Hz.
        debug: whether energies are printed.
    """

    weights: np.ndarray
    centers: np.ndarray
    debug: bool = False

    def energies(self, spectra: np.ndarray) -> np.ndarray:
        """[frames, frequencies] -> [frames, bins], float32."""
        made: np.ndarray = _csrc.weighted_sums(spectra, self.weights)
        if self.debug:
            for row in made:
                sys.stderr.write("MEL BANKS:\n" + "".join(f" {value:f}" for value in row) + "\n")
        return made


def mel_banks(
    num_bins: int,
    low: float,
    high: float,
    sample_frequency: float,
    size: int,
    vtln: VtlnRange | None = None,
    warp: float = 1.0,
    debug: bool = False,
) -> MelBanks:
    """The mel bins from ``low`` to ``high`` Hz for spectra of ``size`` samples, without half the sampling rate.

    Args:
        vtln: needed for another ``warp`` than 1, by which the frequencies between are divided.
        debug: print the bins, and later the energies in them.

    Raises:
        KaldiError: a bin holds no frequency; ``vtln`` does not fit ``low`` and ``high``.
    """
    edges = mel_edges(num_bins, low, high)
    if warp != 1.0 and vtln is not None:
        edges = mel(vtln_warped(inverse_mel(edges), low, high, vtln, warp))
    left, center, right = (edges[i : len(edges) - 2 + i, np.newaxis] for i in range(3))
    frequencies = mel(np.arange(size // 2, dtype=np.float32) * np.float32(sample_frequency / size))
    weights: np.ndarray = np.minimum((frequencies - left) / (center - left), (right - frequencies) / (right - center))
    weights = weights.clip(min=0)
    if not weights.any(axis=1).all():
        raise KaldiError(f"--num-mel-bins={num_bins} is too large: some bins hold no frequency of the spectrum")
    if debug:
        for number, row in enumerate(weights):
            inside = np.flatnonzero(row)
            values = "".join(f"{value:g} " for value in row[inside[0] : inside[-1] + 1])
            log.info(f"bin {number}, offset = {inside[0]}, vec =  [ {values}]\n")
    return MelBanks(weights, inverse_mel(edges[1:-1]), debug)


def cosine_transform(num_ceps: int, num_bins: int) -> np.ndarray:
    """[num_ceps, num_bins], orthonormal rows: from logarithms of mel energies to cepstra."""
    rows = np.arange(num_ceps)[:, np.newaxis]
    scale, first_scale = (np.float64(np.float32(math.sqrt(energy / num_bins))) for energy in (2, 1))
    matrix = scale * np.cos(np.pi / num_bins * (np.arange(num_bins) + 0.5) * rows)
    matrix[0] = first_scale
    return matrix


def lifter(num_ceps: int, strength: float) -> np.ndarray:
    """[num_ceps], what cepstra are multiplied by; ones for ``strength`` 0."""
    if strength == 0:
        return np.ones(num_ceps)
    return 1.0 + 0.5 * strength * np.sin(np.pi * np.arange(num_ceps) / strength)
