"""16-bit PCM wave files (feat/wave-reader.cc), also from pipes whose header does not know the length."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.text import decode, shown

_EXTENSIBLE_PCM = struct.pack("<4I", 0x00000001, 0x00100000, 0xAA000080, 0x719B3800)
_UNKNOWN_LENGTHS = (0, 0xFFFFFFFF, 0x7FFFF000)  # the last is SoX's
_BLOCK = 1 << 20


@dataclass
class Wave:
    """A recording: ``data`` float32 [channels, samples] at the scale of 16-bit integers, ``sample_frequency`` in Hz."""

    sample_frequency: float
    data: np.ndarray


@dataclass
class WaveInfo:
    """What the header of a recording says: ``samples`` per channel, None where only the data's end tells."""

    sample_frequency: float
    channels: int
    samples: int | None


@dataclass
class _Header:
    order: str
    sample_rate: int
    channels: int
    data_size: int
    streamed: bool


def read_wave(stream: InputStream) -> Wave:
    """Reads one recording; raises KaldiError for anything but 16-bit PCM."""
    header = _read_header(stream)
    raw = _read_to_end(stream) if header.streamed else _read_available(stream, header.data_size)
    if not raw:
        raise KaldiError(f"{stream.where()}: a wave file without data")
    if not header.streamed and len(raw) < header.data_size:
        log.warning(
            f"Expected {header.data_size} bytes of wave data, but read only {len(raw)} bytes. "
            f"Truncated file? ({stream.name})"
        )
    return _wave(header, raw)


def read_wave_part(stream: InputStream, first: int, count: int) -> Wave:
    """Reads ``count`` samples from sample ``first`` of a recording in a regular file, and no others.

    Raises KaldiError as ``read_wave``, and where it has not so many.
    """
    header = _read_header(stream)
    size = 2 * header.channels
    if not header.streamed and (first + count) * size > header.data_size:
        raise KaldiError(f"{stream.name} has {header.data_size // size} samples, not those to {first + count}")
    stream.seek(stream.tell() + first * size)
    return _wave(header, stream.read(count * size))


def read_wave_pieces(stream: InputStream, count: int) -> Iterator[Wave]:
    """Reads a recording ``count`` samples at a time, and holds no more of it. Raises KaldiError as ``read_wave``."""
    header = _read_header(stream)
    size = 2 * header.channels
    left, found = header.data_size, False
    while header.streamed or left >= size:
        raw = stream.read_up_to(count * size if header.streamed else min(count * size, left))
        if len(raw) < size:
            break
        left, found = left - len(raw), True
        yield _wave(header, raw)
    if not found:
        raise KaldiError(f"{stream.where()}: a wave file without data")
    if not header.streamed and left >= size:
        log.warning(f"Expected {left} more bytes of wave data: truncated file? ({stream.name})")


def _wave(header: _Header, raw: bytes) -> Wave:
    channels = header.channels
    samples = len(raw) // (2 * channels)
    data = np.frombuffer(raw, header.order + "i2", samples * channels).reshape(samples, channels)
    return Wave(float(header.sample_rate), np.ascontiguousarray(data.T, np.float32))


def read_wave_info(stream: InputStream) -> WaveInfo:
    """Reads no more than the header; raises KaldiError as ``read_wave``."""
    header = _read_header(stream)
    samples = None if header.streamed else header.data_size // (2 * header.channels)
    return WaveInfo(float(header.sample_rate), header.channels, samples)


def _read_header(stream: InputStream) -> _Header:
    magic = stream.read(4)
    if magic not in (b"RIFF", b"RIFX"):
        raise KaldiError(f"{stream.where()}: expected RIFF or RIFX, got {magic!r}: not a wave file")
    order = "<" if magic == b"RIFF" else ">"
    (riff_size,) = struct.unpack(order + "I", stream.read(4))
    _expect(stream, b"WAVE")
    start = stream.tell() - 4
    sample_rate, channels = _read_format(stream, order, _find_chunk(stream, order, b"fmt "))
    data_size = _find_chunk(stream, order, b"data")
    streamed = riff_size in (0, 0xFFFFFFFF) or data_size in _UNKNOWN_LENGTHS
    if not streamed and abs(stream.tell() - start + data_size - riff_size) > 1:
        log.warning(f"{stream.name}: the RIFF chunk says {riff_size} bytes, its first data chunk ends elsewhere")
    return _Header(order, sample_rate, channels, data_size, streamed)


def _expect(stream: InputStream, tag: bytes) -> None:
    found = stream.read(4)
    if found != tag:
        raise KaldiError(f"{stream.where()}: expected {decode(tag)} in a wave file, got {shown(found)}")


def _find_chunk(stream: InputStream, order: str, wanted: bytes) -> int:
    """Passes over other chunks; returns the size of the wanted one."""
    while True:
        tag = stream.read(4)
        (size,) = struct.unpack(order + "I", stream.read(4))
        if tag == wanted:
            return size
        stream.skip(size)


def _read_format(stream: InputStream, order: str, size: int) -> tuple[int, int]:
    if size < 16:
        raise KaldiError(f"{stream.where()}: the format chunk of a wave file has {size} bytes, not 16 or more")
    kind, channels, sample_rate, byte_rate, block_align, bits = struct.unpack(order + "HHIIHH", stream.read(16))
    used = 16
    if kind == 0xFFFE:
        extra = struct.unpack(order + "H", stream.read(2))[0]
        if size < 40 or extra < 22:
            raise KaldiError(f"{stream.where()}: malformed extensible wave format")
        stream.skip(6)
        guid = struct.unpack(order + "4I", stream.read(16))
        if struct.pack("<4I", *guid) != _EXTENSIBLE_PCM:
            raise KaldiError(f"{stream.where()}: only PCM wave files can be read")
        used = 40
    elif kind != 1:
        raise KaldiError(f"{stream.where()}: only PCM wave files can be read, this one has format {kind}")
    stream.skip(size - used)
    if channels == 0:
        raise KaldiError(f"{stream.where()}: a wave file without channels")
    if bits != 16:
        raise KaldiError(f"{stream.where()}: only 16 bits per sample can be read, these are {bits}")
    if byte_rate != (sample_rate * 2 * channels) & 0xFFFFFFFF or block_align != 2 * channels:
        raise KaldiError(
            f"{stream.where()}: the byte rate {byte_rate} or block size {block_align} of a wave file "
            f"does not go with {channels} channels of 16 bits at {sample_rate} Hz"
        )
    return sample_rate, channels


def _read_to_end(stream: InputStream) -> bytes:
    blocks = []
    while block := stream.read_up_to(_BLOCK):
        blocks.append(block)
    return b"".join(blocks)


def _read_available(stream: InputStream, size: int) -> bytes:
    if size <= _BLOCK:
        return stream.read_up_to(size)
    blocks = []
    while size and (block := stream.read_up_to(min(size, _BLOCK))):
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)


def write_wave(stream: OutputStream, wave: Wave) -> None:
    """Writes 16-bit PCM; samples are cut off after the decimal point and clipped, with a warning."""
    data = np.atleast_2d(np.asarray(wave.data))
    channels, samples = data.shape
    if data.size == 0:
        raise KaldiError(f"{stream.name}: attempt to write an empty wave file")
    size = 2 * data.size
    rate = int(wave.sample_frequency)
    if size + 36 >= 1 << 31 or not 0 < rate * 2 * channels < 1 << 32 or channels >= 1 << 15:
        raise KaldiError(f"{stream.name}: {channels} channels of {samples} samples at {rate} Hz do not fit a wave file")
    clipped = int(((data >= 32768) | (data <= -32769)).sum())
    if clipped:
        log.warning(f"{stream.name}: clipped {clipped} samples out of {data.size}. Reduce volume?")
    stream.write(b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt ")
    stream.write(struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16))
    stream.write(b"data" + struct.pack("<I", size))
    with np.errstate(invalid="ignore"):
        stream.write(np.clip(np.trunc(data.T), -32768, 32767).astype("<i2").tobytes())
