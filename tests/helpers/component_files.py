"""Helpers for the component tests: the components of a model file, and components in memory."""

from typing import Any

import numpy as np

from kaldi_bridge.io import basic_io
from kaldi_bridge.io.streams import InputStream, OutputStream
from nnet3_compat.components import Component, read_component


class Memory(OutputStream):
    """An output stream that keeps what is written."""

    name = "memory"

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: Any) -> None:
        self.data += bytes(data) if not isinstance(data, np.ndarray) else data.tobytes()


def dump(component: Component, binary: bool) -> bytes:
    memory = Memory()
    component.write(memory, binary)
    return memory.data


def load(data: bytes, binary: bool) -> Component:
    return read_component(InputStream.from_bytes(data, "memory"), binary)


def read_components(data: bytes, binary: bool) -> list[tuple[str, Component]]:
    """(name, component) of the network in a model file's bytes."""
    stream = InputStream.from_bytes(data[data.index(b"<NumComponents>") :], "memory")
    basic_io.expect_token(stream, binary, "<NumComponents>")
    components = []
    for _ in range(basic_io.read_int32(stream, binary)):
        basic_io.expect_token(stream, binary, "<ComponentName>")
        name = basic_io.read_token(stream, binary)
        components.append((name, read_component(stream, binary)))
    return components


def dump_components(components: list[tuple[str, Component]], binary: bool) -> bytes:
    memory = Memory()
    newline = b"" if binary else b"\n"
    basic_io.write_token(memory, binary, "<NumComponents>")
    basic_io.write_int32(memory, binary, len(components))
    memory.write(newline)
    for name, component in components:
        basic_io.write_token(memory, binary, "<ComponentName>")
        basic_io.write_token(memory, binary, name)
        component.write(memory, binary)
        memory.write(newline)
    return memory.data


def assert_same(first: Component, second: Component, rtol: float = 0.0) -> None:
    """Equal in type and every attribute, floats within ``rtol``."""
    assert type(first) is type(second)
    for name in vars(first).keys() | vars(second).keys():
        value, other = getattr(first, name), getattr(second, name)
        if isinstance(value, list) and value and isinstance(value[0], Component):
            for a, b in zip(value, other, strict=True):
                assert_same(a, b, rtol)
        elif isinstance(value, (np.ndarray, float)):
            assert np.shape(value) == np.shape(other), name
            np.testing.assert_allclose(value, other, rtol=rtol, atol=rtol * 1e-6, err_msg=name)
        else:
            assert value == other, name
