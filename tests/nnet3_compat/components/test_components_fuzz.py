"""Damaged files and senseless configs: an error message, never anything else, in bounded time and memory."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from tests.helpers.component_files import dump, load
from tests.helpers.component_lines import LINES, make

SETTINGS = settings(max_examples=150, deadline=2000, suppress_health_check=list(HealthCheck), derandomize=True)

COMPONENTS = [make(line) for line in LINES]
FILES = [(dump(component, binary), binary) for component in COMPONENTS for binary in (True, False)]


def read_and_use(data: bytes, binary: bool) -> None:
    """Whatever is accepted can be used and written again."""
    try:
        component = load(data, binary)
    except KaldiError:
        return
    with np.errstate(all="ignore"):
        assert component.input_dim >= 0 and component.output_dim >= 0
        component.info()
        copy = component.copy()
        copy.add(0.5, component)
        copy.scale(0.5)
        copy.zero_stats()
        dump(component, binary)


@pytest.mark.parametrize(("data", "binary"), FILES)
def test_truncated(data, binary):
    for end in range(0, len(data) - 1, max(1, len(data) // 60)):
        with pytest.raises(KaldiError):
            load(data[:end], binary)


@SETTINGS
@given(st.sampled_from(FILES), st.data())
def test_changed_bytes(file, data):
    content, binary = bytearray(file[0]), file[1]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 127, 128, 255])))
    read_and_use(bytes(content), binary)


@SETTINGS
@given(st.sampled_from(FILES), st.sampled_from(FILES), st.data())
def test_spliced(first, second, data):
    """The beginning of one file, the end of another."""
    cut, on = data.draw(st.integers(0, len(first[0]))), data.draw(st.integers(0, len(second[0])))
    read_and_use(first[0][:cut] + second[0][on:], first[1])


@SETTINGS
@given(st.sampled_from([data for data, binary in FILES if not binary]), st.data())
def test_changed_words(text, data):
    words = text.split(b" ")
    at = data.draw(st.integers(0, len(words) - 1))
    extreme = [b"-1", b"0", b"2147483647", b"-2147483648", b"1e38", b"nan", b"-inf", b"[", b"]", b"", b"T", b"<Dim>"]
    words[at] = data.draw(st.sampled_from(extreme))
    read_and_use(b" ".join(words), False)


@SETTINGS
@given(st.sampled_from([(d, c) for (d, b), c in zip(FILES, range(len(FILES)), strict=True) if b]), st.data())
def test_changed_integers(file, data):
    """32-bit integers in binary files are 4 bytes after a byte 4: give them extreme values."""
    content = bytearray(file[0])
    places = [m.end() for m in re.finditer(rb"\x04(?=....)", bytes(content), re.DOTALL)]
    if not places:
        return
    at = data.draw(st.sampled_from(places))
    value = data.draw(st.sampled_from([-1, 0, 2, 2**31 - 1, -(2**31), 2**30, 65536]))
    content[at : at + 4] = value.to_bytes(4, "little", signed=True)
    read_and_use(bytes(content), True)


VALUES = [
    "",
    "0",
    "-1",
    "1",
    "7",
    "2147483647",
    "99999999999",
    "1e30",
    "nan",
    "inf",
    "x",
    "0,1",
    "1,,2",
    "true",
    "[",
    "'a'",
]


@SETTINGS
@given(st.sampled_from(LINES), st.data())
def test_config_values(line, data):
    keys = re.findall(r" [a-z][a-z-]*=[^ ]*", line)
    if not keys:
        return
    key = data.draw(st.sampled_from(keys))
    name = key.partition("=")[0]
    value = data.draw(st.sampled_from(VALUES))
    try:
        component = make(line.replace(key, f"{name}={value}", 1))
    except KaldiError as error:
        assert str(error)
        return
    with np.errstate(all="ignore"):
        component.info()


@SETTINGS
@given(st.text(alphabet="type=Component dim-input,;'\"0123", max_size=60))
def test_config_text(text):
    with pytest.raises(KaldiError):
        make(f"type=NoOpComponent nosuchkey={text!r} {text}")
