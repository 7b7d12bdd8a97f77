"""What an ONNX file says about itself, read without the package onnx.

The file is one message of protocol buffers, onnx.proto's ModelProto: fields one after the other, each a key, which is
eight times its number plus how its content lies there, and the content. ``ir_version`` (1) comes first; each
``metadata_props`` (14) is a message of two texts, key (1) and value (2).
"""

from __future__ import annotations

from collections.abc import Iterator

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import decode

METADATA = 14
VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5


def is_onnx(head: bytes) -> bool:
    """Whether a file that begins so can be one: with a whole number as field 1. No model of Kaldi's does."""
    return head[:1] == b"\x08"


def read_metadata(data: bytes, name: str) -> dict[str, bytes]:
    """Its texts by their keys. Raises KaldiError for what is no ONNX file, or a broken one."""
    try:
        pairs = [dict(_fields(content)) for number, content in _fields(memoryview(data)) if number == METADATA]
    except ValueError as error:
        raise KaldiError(f"{name}: no ONNX file, or a broken one ({error})") from error
    return {decode(bytes(pair.get(1, b""))): bytes(pair.get(2, b"")) for pair in pairs}


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The number and the content of each field; the content of numbers is left out."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind, size = key % 8, 0
        if kind == VARINT:
            _, at = _varint(message, at)
        elif kind == BYTES:
            size, at = _varint(message, at)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            size = 8 if kind == EIGHT_BYTES else 4
        else:
            raise ValueError(f"there is no kind {kind} of fields")
        if size > len(message) - at:
            raise ValueError("it ends within a field")
        yield key // 8, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A whole number, seven bits in a byte, the lowest ones first; and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at == len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("it ends within a number")
