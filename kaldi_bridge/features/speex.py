"""Recordings through the Speex codec and back, by the machine's libspeex (online2/online-speex-wrapper.cc).

As with Kaldi, a frame is coded when a sample after it is there, and decoded when a coded frame after it is there: what
comes back ends with one or two frames of zeros.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError

LIBRARIES = ("libspeex.so.1", "libspeex.1.dylib")
WIDE_BAND = 1  # of speex.h, as the requests are
GET_FRAME_SIZE, SET_QUALITY, SET_SAMPLING_RATE = 3, 4, 24
MOST_BYTES = 200


@dataclass
class SpeexOptions:
    """Kaldi's SpeexOptions."""

    sample_rate: float = option(16000.0, "Sampling rate of the recordings in Hz")
    speex_quality: int = option(10, "Quality of speech, 0 to 10")
    speex_bits_frame_size: int = option(106, "Bytes of a coded frame: 70 of quality 8, 86 of 9, 106 of 10")
    speex_wave_frame_size: int = option(320, "Samples of a frame")


class _Bits(ctypes.Structure):
    """SpeexBits of speex_bits.h."""

    _fields_ = [
        ("chars", ctypes.c_void_p),
        ("nbBits", ctypes.c_int),
        ("charPtr", ctypes.c_int),
        ("bitPtr", ctypes.c_int),
        ("owner", ctypes.c_int),
        ("overflow", ctypes.c_int),
        ("buf_size", ctypes.c_int),
        ("reserved1", ctypes.c_int),
        ("reserved2", ctypes.c_void_p),
    ]


class SpeexCodec:
    """A coder and a decoder of wide-band speech, one recording through them at a time.

    Raises KaldiError where libspeex is not installed or the options are not those of its frames.
    """

    def __init__(self, options: SpeexOptions) -> None:
        if not 0 <= options.speex_quality <= 10:
            raise KaldiError(f"--speex-quality={options.speex_quality} is not between 0 and 10")
        self._options = options
        self._speex = _library()
        self._mode = ctypes.c_void_p(self._speex.speex_lib_get_mode(WIDE_BAND))

    def through(self, samples: np.ndarray, rate: float) -> np.ndarray:
        """[samples] at ``rate`` Hz -> [samples], float32. Raises KaldiError for another rate than the options'."""
        options, speex = self._options, self._speex
        if rate != options.sample_rate:
            raise KaldiError(f"Sampling frequency mismatch, expected {options.sample_rate:g}, got {rate:g}")
        encoder = ctypes.c_void_p(speex.speex_encoder_init(self._mode))
        decoder = ctypes.c_void_p(speex.speex_decoder_init(self._mode))
        bits = _Bits()
        speex.speex_bits_init(ctypes.byref(bits))
        try:
            self._set(speex.speex_encoder_ctl, encoder, SET_QUALITY, options.speex_quality)
            self._set(speex.speex_encoder_ctl, encoder, SET_SAMPLING_RATE, int(rate))
            self._set(speex.speex_decoder_ctl, decoder, SET_SAMPLING_RATE, int(rate))
            size = self._set(speex.speex_encoder_ctl, encoder, GET_FRAME_SIZE, 0)
            if options.speex_wave_frame_size != size:
                raise KaldiError(f"--speex-wave-frame-size={options.speex_wave_frame_size}: Speex has frames of {size}")
            coded = [self._coded(encoder, bits, frame) for frame in _frames(samples, size)]
            decoded = [self._decoded(decoder, bits, frame, size) for frame in coded[:-1]]
        finally:
            speex.speex_bits_destroy(ctypes.byref(bits))
            speex.speex_encoder_destroy(encoder)
            speex.speex_decoder_destroy(decoder)
        rest = np.zeros(len(samples) - size * len(decoded), np.float32)
        return np.concatenate([*decoded, rest])

    def _set(self, control: Any, state: ctypes.c_void_p, request: int, value: int) -> int:
        """Returns the value, which other requests set themselves."""
        number = ctypes.c_int(value)
        control(state, request, ctypes.byref(number))
        return number.value

    def _coded(self, encoder: ctypes.c_void_p, bits: _Bits, frame: np.ndarray) -> bytes:
        speex, expected = self._speex, self._options.speex_bits_frame_size
        speex.speex_bits_reset(ctypes.byref(bits))
        speex.speex_encode(encoder, ctypes.c_void_p(frame.ctypes.data), ctypes.byref(bits))
        buffer = ctypes.create_string_buffer(MOST_BYTES)
        count = speex.speex_bits_write(ctypes.byref(bits), buffer, MOST_BYTES)
        if count != expected:
            raise KaldiError(f"a coded frame has {count} bytes, and --speex-bits-frame-size={expected}")
        return buffer.raw[:count]

    def _decoded(self, decoder: ctypes.c_void_p, bits: _Bits, coded: bytes, size: int) -> np.ndarray:
        samples = np.zeros(size, np.float32)
        self._speex.speex_bits_read_from(ctypes.byref(bits), coded, len(coded))
        self._speex.speex_decode(decoder, ctypes.byref(bits), ctypes.c_void_p(samples.ctypes.data))
        return samples


def _frames(samples: np.ndarray, size: int) -> list[np.ndarray]:
    """All frames with a sample after them, as copies, which the coder may write to."""
    count = max(0, (len(samples) - 1) // size)
    return list(np.array(samples[: count * size], np.float32).reshape(count, size))


def _library() -> Any:
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        for function in ("speex_lib_get_mode", "speex_encoder_init", "speex_decoder_init"):
            getattr(library, function).restype = ctypes.c_void_p
        return library
    raise KaldiError("the Speex codec is not installed (Debian and Ubuntu: apt install libspeex1)")
