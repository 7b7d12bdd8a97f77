"""Streams into memory."""

from __future__ import annotations

import io

from kaldi_bridge.io.output_stream import OutputStream


class Memory(io.BytesIO):
    """Keeps what was written after it is closed."""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


def written(write, binary, value) -> bytes:
    memory = Memory()
    with OutputStream(memory, "memory") as stream:
        write(stream, binary, value)
    return memory.content
