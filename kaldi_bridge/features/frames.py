"""Frames of a waveform, windowed, and their spectra (feat/feature-window.cc, feat/feature-functions.cc).

In single precision, rounded as by Kaldi: where a band is all but empty, features show it.
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge.extension import _csrc

WINDOWS = ("hamming", "hanning", "povey", "rectangular", "sine", "blackman", "blackmann")  # the last in Kaldi's help


def window(kind: str, length: int, blackman_coeff: float = 0.42) -> np.ndarray:
    """[length], float32; ``kind`` is one of WINDOWS."""
    phase = 2 * np.pi / (length - 1) * np.arange(length)
    hanning = 0.5 - 0.5 * np.cos(phase)
    blackman = blackman_coeff - 0.5 * np.cos(phase) + (0.5 - blackman_coeff) * np.cos(2 * phase)
    shapes = {
        "hanning": hanning,
        "sine": np.sin(0.5 * phase),
        "hamming": 0.54 - 0.46 * np.cos(phase),
        "povey": hanning**0.85,
        "rectangular": np.ones(length),
        "blackman": blackman,
        "blackmann": blackman,
    }
    return shapes[kind].astype(np.float32)


NO_NOISE = np.zeros(0, np.float32)


def windowed(
    samples: np.ndarray,
    shift: int,
    count: int,
    shape: np.ndarray,
    padded: int,
    preemphasis: float,
    remove_offset: bool,
    noise: np.ndarray = NO_NOISE,
    dither: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Frames [count, padded] of samples, each ``shift`` after the one before, and their energies [count]; float32.

    A frame is samples less their mean (where ``remove_offset``) and less their predecessors times ``preemphasis``,
    times the window's ``shape`` [length], then zeros. The energies are those before emphasis and window.
    ``noise`` [count, length] times ``dither`` is added to the samples before.
    """
    made: tuple[np.ndarray, np.ndarray] = _csrc.windowed_frames(
        samples, shift, count, noise, dither, shape, padded, preemphasis, remove_offset
    )
    return made


def energies(frames: np.ndarray) -> np.ndarray:
    """[frames, samples] -> [frames], float32: sums of squares."""
    return np.square(frames).sum(axis=1, dtype=np.float64).astype(np.float32)


def floored_log(values: np.ndarray) -> np.ndarray:
    """Natural logarithms, float32, of values that are floored at the smallest number by which 1 can grow."""
    made: np.ndarray = _csrc.logarithms(np.maximum(values, np.finfo(np.float32).eps))
    return made


def power_spectra(frames: np.ndarray) -> np.ndarray:
    """[frames, samples], an even number -> [frames, samples / 2], float32, without half the sampling rate."""
    samples = frames.shape[1]
    if samples & (samples - 1) == 0:
        made: np.ndarray = _csrc.power_spectra(frames)
        return made
    transforms = np.fft.rfft(frames.astype(np.float64))[:, :-1]
    return (np.square(transforms.real) + np.square(transforms.imag)).astype(np.float32)


def spectra(frames: np.ndarray) -> np.ndarray:
    """[frames, samples], an even number -> Fourier transforms [frames, samples / 2 + 1], complex64."""
    samples = frames.shape[1]
    if samples & (samples - 1) == 0:
        made: np.ndarray = _csrc.spectra(frames)
        return made
    return np.fft.rfft(frames.astype(np.float64)).astype(np.complex64)
