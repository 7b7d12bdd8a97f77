"""SPHERE files of what a test has in memory."""

from __future__ import annotations


def sphere_bytes(data: bytes, shape: tuple[int, ...], coding: str, order: str, rate: int = 20000) -> bytes:
    """A file of ``shape`` [samples, channels] whose samples, as they are coded, are ``data``."""
    size = 1 if order == "1" else 2
    lines = [
        "NIST_1A",
        "   1024",
        "speaker_id -s2 ab",
        f"channel_count -i {shape[1]}",
        f"sample_count -i {shape[0]}",
        f"sample_rate -i {rate}",
        f"sample_n_bytes -i {size}",
        f"sample_byte_format -s{len(order)} {order}",
        f"sample_coding -s{len(coding)} {coding}",
        "end_head",
    ]
    return "".join(f"{line}\n" for line in lines).encode().ljust(1024) + data
