"""NIST SPHERE recordings, as LDC's corpora have them: a header of text, then samples, maybe companded or compressed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.companding import expand_a_law, expand_mu_law
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.shorten import decode_shorten
from kaldi_bridge.io.text import decode, is_number, key_and_rest, shown, strip

_EXPANSIONS = {"ulaw": expand_mu_law, "mu-law": expand_mu_law, "alaw": expand_a_law, "a-law": expand_a_law}
_ORDERS = {"01": "<", "10": ">"}
_BLOCK = 1 << 20
_LONGEST_HEADER = 1 << 20


@dataclass
class SphereRecording:
    """Attributes:
    sample_rate: in Hz.
    samples: int16 [samples, channels].
    companded: whether the file holds one byte per sample, of mu-law or A-law.
    """

    sample_rate: int
    samples: np.ndarray
    companded: bool


def read_sphere(stream: InputStream) -> SphereRecording:
    """Reads a recording of 16-bit integers, mu-law or A-law, shortened or not.

    Raises KaldiError for anything else: 24 bits, NIST's "shortpack", wavpack.
    """
    fields = _read_header(stream)
    channels, count = _number(stream, fields, "channel_count"), _number(stream, fields, "sample_count")
    rate = _number(stream, fields, "sample_rate")
    coding, *embedded = fields.get("sample_coding", "pcm").split(",")
    expand = _EXPANSIONS.get(coding)
    if coding != "pcm" and expand is None:
        raise KaldiError(f"{stream.name}: a SPHERE file with samples of the coding {coding} cannot be read")
    raw = _read_to_end(stream)
    if embedded:
        if not embedded[0].startswith("embedded-shorten-"):
            raise KaldiError(
                f"{stream.name}: a SPHERE file compressed as {embedded[0]} cannot be read: w_decode it first"
            )
        try:
            samples = decode_shorten(raw, channels * count)
        except KaldiError as error:
            raise KaldiError(f"{stream.name}: {error}") from error
        if samples.shape[1] != channels or samples.dtype != (np.int16 if expand is None else np.uint8):
            raise KaldiError(f"{stream.name}: the SPHERE header and the compressed samples in it do not fit together")
    else:
        kind = np.dtype(np.uint8 if expand is not None else _sample_order(stream, fields) + "i2")
        samples = np.frombuffer(raw, kind, len(raw) // kind.itemsize // channels * channels).reshape(-1, channels)
    if len(samples) < count:
        log.warning(f"{stream.name}: {len(samples)} samples, not {count} as the SPHERE header says")
    samples = samples[:count]
    return SphereRecording(rate, samples.astype(np.int16) if expand is None else expand(samples), expand is not None)


def _read_header(stream: InputStream) -> dict[str, str]:
    magic = stream.read(8)
    if magic != b"NIST_1A\n":
        raise KaldiError(f"{stream.where()}: expected NIST_1A, got {shown(magic)}: not a SPHERE file")
    length = strip(stream.read(8))
    if not is_number(length) or not 16 < int(length) <= _LONGEST_HEADER:
        raise KaldiError(f"{stream.where()}: the length of a SPHERE header is {length!r}")
    fields: dict[str, str] = {}
    for line in decode(stream.read(int(length) - 16)).split("\n"):
        name, rest = key_and_rest(line)
        if name == "end_head":
            return fields
        fields[name] = key_and_rest(rest)[1]  # after its type
    raise KaldiError(f"{stream.name}: a SPHERE header without end_head")


def _number(stream: InputStream, fields: dict[str, str], name: str) -> int:
    text = fields.get(name, "")
    if not (is_number(text) and 0 < int(text) < 1 << 31):
        raise KaldiError(f"{stream.name}: {name} in the SPHERE header is {text or 'missing'}")
    return int(text)


def _sample_order(stream: InputStream, fields: dict[str, str]) -> str:
    size, order = fields.get("sample_n_bytes", ""), fields.get("sample_byte_format", "")
    if size != "2" or order not in _ORDERS:
        raise KaldiError(
            f"{stream.name}: a SPHERE file of samples with {size or 'no number of'} bytes in the order "
            f"{order or 'unknown'} cannot be read"
        )
    return _ORDERS[order]


def _read_to_end(stream: InputStream) -> bytes:
    blocks = []
    while block := stream.read_up_to(_BLOCK):
        blocks.append(block)
    return b"".join(blocks)
