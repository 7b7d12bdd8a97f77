"""Tokens and basic types as base/io-funcs.h reads and writes them."""

from __future__ import annotations

import contextlib
import math
import os
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.input_stream import InputStream
from tests.helpers.streams import written

INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
FLOAT32 = st.floats(width=32)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(
    ("read", "write", "values"),
    [
        (basic_io.read_int32, basic_io.write_int32, INT32),
        (basic_io.read_uint32, basic_io.write_uint32, st.integers(0, (1 << 32) - 1)),
        (basic_io.read_int64, basic_io.write_int64, st.integers(-(1 << 63), (1 << 63) - 1)),
        (basic_io.read_bool, basic_io.write_bool, st.booleans()),
        (basic_io.read_int_vector, basic_io.write_int_vector, st.lists(INT32)),
        (basic_io.read_int_pair_vector, basic_io.write_int_pair_vector, st.lists(st.tuples(INT32, INT32))),
        (basic_io.read_token, basic_io.write_token, st.text("<>/AZaz09_é", min_size=1)),
    ],
)
def test_round_trip(binary, read, write, values):
    @given(values)
    def check(value):
        stream = InputStream.from_bytes(written(write, binary, value) + b"rest")
        assert read(stream, binary) == value
        assert stream.peek() in (b"r", b" ", b"\n")

    check()


@given(FLOAT32)
def test_floats(value):
    for binary in (True, False):
        for write in (basic_io.write_float, basic_io.write_double):
            stream = InputStream.from_bytes(written(write, binary, value))
            for read in (basic_io.read_float, basic_io.read_double):
                stream.pos = 0
                back = read(stream, binary)
                assert (math.isnan(value) and math.isnan(back)) or back == (
                    value if binary else pytest.approx(value, rel=1e-6, abs=1e-44)
                )


def test_bytes_are_kaldis():
    assert written(basic_io.write_int32, True, 258) == b"\4\2\1\0\0"
    assert written(basic_io.write_int32, False, 258) == b"258 "
    assert written(basic_io.write_uint32, True, 1) == b"\xfc\1\0\0\0"
    assert written(basic_io.write_float, True, 1.0) == b"\4\0\0\x80\x3f"
    assert written(basic_io.write_float, False, 0.1) == b"0.1 "
    assert written(basic_io.write_float, False, 1 / 3) == b"0.3333333 "
    assert written(basic_io.write_double, False, 1e10 / 3) == b"3.333333e+09 "
    assert written(basic_io.write_double, True, 1.0) == b"\10" + struct.pack("<d", 1)
    assert written(basic_io.write_bool, False, True) == b"T "
    assert written(basic_io.write_bool, True, False) == b"F"
    assert written(basic_io.write_token, True, "<Nnet3>") == b"<Nnet3> "
    assert written(basic_io.write_int_vector, False, [1, 2]) == b"[ 1 2 ]\n"
    assert written(basic_io.write_int_vector, True, np.array([3])) == b"\4\1\0\0\0\3\0\0\0"
    assert written(basic_io.write_int_pair_vector, False, [(1, 2), (3, 4)]) == b"[ 1,2 3,4 ]\n"
    assert written(lambda s, b, v: basic_io.write_header(s, b), True, None) == b"\0B"


@pytest.mark.parametrize(("text", "value"), [("inf ", math.inf), ("-inf ", -math.inf), ("1e3]", 1000), ("-.5 ", -0.5)])
def test_text_numbers(text, value):
    assert basic_io.read_double(InputStream.from_bytes(text.encode()), False) == value


def test_endless_numbers():
    for reader in (basic_io.read_int32, basic_io.read_int64, basic_io.read_int_vector):
        with pytest.raises(KaldiError):
            reader(InputStream.from_bytes(b"[ " * (reader is basic_io.read_int_vector) + b"9" * 100_000 + b" ]"), False)
    assert basic_io.read_double(InputStream.from_bytes(b"9" * 1000), False) == math.inf


def test_a_number_is_read_as_soon_as_it_is_there():
    source, sink = os.pipe()
    os.write(sink, b"12 1.5 [ 3 ]\n")  # and no end of the input
    stream = InputStream(source, "pipe")
    assert basic_io.read_int32(stream, False) == 12
    assert basic_io.read_float(stream, False) == 1.5
    assert basic_io.read_int_vector(stream, False) == [3]
    os.close(source), os.close(sink)


def test_tokens():
    stream = InputStream.from_bytes(b"<A> <B> \n c")
    assert basic_io.peek_token(stream, True) == "A"
    basic_io.expect_token(stream, True, "<A>")
    with pytest.raises(KaldiError, match=r"memory at byte 4: expected the token <C>, got '<B>'"):
        basic_io.expect_token(stream, True, "<C>")
    with pytest.raises(KaldiError, match="no space after the token"):
        basic_io.read_token(InputStream.from_bytes(b"abc"), True)
    with pytest.raises(KaldiError, match="input ends"):
        basic_io.read_token(InputStream.from_bytes(b""), True)
    for bad in ("", "a b"):
        with pytest.raises(KaldiError):
            written(basic_io.write_token, True, bad)


@pytest.mark.parametrize("write", [basic_io.write_int32, lambda s, b, v: basic_io.write_int_vector(s, True, [v])])
def test_integers_that_do_not_fit(write):
    with pytest.raises(KaldiError):
        written(write, True, 1 << 31)


READERS = [basic_io.read_int32, basic_io.read_uint32, basic_io.read_int64, basic_io.read_float, basic_io.read_double]
READERS += [basic_io.read_bool, basic_io.read_int_vector, basic_io.read_int_pair_vector, basic_io.read_token]
DATA = st.binary(max_size=40) | st.text("0123456789+-.eE[],; infaTF\n", max_size=40).map(str.encode)


@given(st.sampled_from(READERS), st.booleans(), DATA)
def test_nonsense_raises_kaldi_errors_only(read, binary, data):
    with contextlib.suppress(KaldiError):
        read(InputStream.from_bytes(data), binary)


@pytest.mark.parametrize("binary", [True, False])
def test_integers_in_a_row(binary: bool) -> None:
    data = b"".join(written(basic_io.write_int32, binary, value) for value in (1, -2, 3, 1 << 30, 5, 6))
    values = basic_io.read_int32s(InputStream.from_bytes(data, "test"), binary, (3, 2))
    assert values.dtype == np.int32
    np.testing.assert_array_equal(values, [[1, -2], [3, 1 << 30], [5, 6]])
    with pytest.raises(KaldiError, match="test"):
        basic_io.read_int32s(InputStream.from_bytes(data[:-4], "test"), binary, (3, 2))
    if binary:
        with pytest.raises(KaldiError, match="test at byte 0: expected 6 4-byte integers"):
            basic_io.read_int32s(InputStream.from_bytes(data[:5] + b"\x08" + data[6:], "test"), binary, (3, 2))
