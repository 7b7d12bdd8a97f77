"""Matrices and vectors, binary and text, as matrix/kaldi-matrix.cc reads and writes them."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import matrix_io
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.input_stream import InputStream
from tests.helpers.streams import written


def read(reader, data: bytes, binary: bool, dtype=np.float32):
    return reader(InputStream.from_bytes(data), binary, dtype)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("stored", [np.float32, np.float64])
@pytest.mark.parametrize("wanted", [np.float32, np.float64])
def test_round_trip(binary, stored, wanted):
    matrix = (np.arange(12).reshape(3, 4) / 8 - 1).astype(stored)
    vector = matrix[1]
    for array in (matrix, matrix.T, matrix[:, ::2], np.zeros((0, 0), stored)):
        back = read(matrix_io.read_matrix, written(matrix_io.write_matrix, binary, array), binary, wanted)
        assert back.dtype == wanted and np.array_equal(back, array) and back.flags.writeable and back.flags.c_contiguous
    for array in (vector, vector[::-1], vector[:0]):
        back = read(matrix_io.read_vector, written(matrix_io.write_vector, binary, array), binary, wanted)
        assert back.dtype == wanted and np.array_equal(back, array) and back.flags.writeable
        assert np.array_equal(
            read(matrix_io.read_packed, written(matrix_io.write_packed, binary, array[:3]), binary, wanted), array[:3]
        )


def test_text_form():
    matrix = np.array([[1, 2.5], [1 / 3, -1e-8]], np.float32)
    assert written(matrix_io.write_matrix, False, matrix) == b" [\n  1 2.5 \n  0.3333333 -1e-08 ]\n"
    assert written(matrix_io.write_matrix, False, matrix[:0]) == b" [ ]\n"
    assert written(matrix_io.write_vector, False, matrix[0]) == b" [ 1 2.5 ]\n"
    assert written(matrix_io.write_packed, False, np.array([1.0, 2, 3])) == b"[\n1 \n2 3 ]\n"
    assert written(matrix_io.write_packed, False, np.zeros(0)) == b"[ ]\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[ 1 2\n 3 4 ]\n", [[1, 2], [3, 4]]),
        ("[1 2; 3 4]", None),
        (" [\n1 2 ;3 4;\n\n ]\r\n", [[1, 2], [3, 4]]),
        ("[]", np.zeros((0, 0))),
        ("[ 1 inf NaN\n -1e2 Infinity -3 ]", [[1, np.inf, np.nan], [-100, np.inf, -3]]),
        ("[ 1 2\n3 ]", None),
        ("[ 1 2", None),
        ("[ 1 x ]", None),
        ("[ 1_0 ]", None),
        ("1 2 ]", None),
        ("", None),
    ],
)
def test_reading_text(text, value):
    if value is None:
        with pytest.raises(KaldiError):
            read(matrix_io.read_matrix, text.encode(), False)
    else:
        assert np.array_equal(read(matrix_io.read_matrix, text.encode(), False), np.array(value), equal_nan=True)


def test_a_matrix_is_no_vector():
    with pytest.raises(KaldiError, match="maybe it is a matrix"):
        read(matrix_io.read_vector, b"[\n 1 2 ]", False)
    with pytest.raises(KaldiError, match="expected a vector, got FM"):
        read(matrix_io.read_vector, written(matrix_io.write_matrix, True, np.ones((2, 2))).replace(b"D", b"F"), True)


def test_conversion_from_double_may_overflow():
    data = written(matrix_io.write_matrix, True, np.array([[1e300, -1.0]]))
    assert read(matrix_io.read_matrix, data, True).tolist() == [[np.inf, -1]]


@pytest.mark.parametrize(
    "size", [b"\4\xff\xff\xff\x7f\4\xff\xff\xff\x7f", b"\4\xff\xff\xff\xff\4\1\0\0\0", b"\4\0\0\0\0\4\1\0\0\0"]
)
def test_absurd_sizes(size):
    with pytest.raises(KaldiError):
        read(matrix_io.read_matrix, b"FM " + size + bytes(1000), True)


def test_a_length_that_lies_takes_no_memory(tmp_path):
    import resource

    from kaldi_bridge.io.streams import open_input

    path = tmp_path / "liar"
    path.write_bytes(b"FM \4\0\0\1\0\4\0\0\1\0" + bytes(100))  # 65536 x 65536
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name in (str(path), f"cat {path} |"):
        with pytest.raises(KaldiError, match="truncated"), open_input(name) as stream:
            matrix_io.read_matrix(stream, True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_large_matrices_through_pipes_and_files(tmp_path):
    from kaldi_bridge.io.streams import open_input, open_output

    matrix = np.arange(9_000_000, dtype=np.float32).reshape(90_000, 100)  # 36 MB
    with open_output(str(tmp_path / "large")) as stream:
        matrix_io.write_matrix(stream, True, matrix)
        stream.write(b"rest")
    for name in (f"{tmp_path}/large", f"cat {tmp_path}/large |"):
        with open_input(name) as source:
            back = matrix_io.read_matrix(source, True)
            assert np.array_equal(back, matrix) and back.flags.writeable
            assert source.read(4) == b"rest" and source.at_end()


def test_symmetric_matrices():
    full = np.array([[1, 2, 4], [2, 3, 5], [4, 5, 6]], np.float64)
    assert matrix_io.pack_symmetric(full).tolist() == [1, 2, 3, 4, 5, 6]
    assert np.array_equal(matrix_io.unpack_symmetric(matrix_io.pack_symmetric(full)), full)
    with pytest.raises(KaldiError):
        matrix_io.packed_size(4)


READERS = st.sampled_from([matrix_io.read_matrix, matrix_io.read_vector, matrix_io.read_packed])
MATRIX = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)


def bases() -> list[bytes]:
    compressed = [written(lambda s, b, v: v.write(s), True, CompressedMatrix.compress(MATRIX, m)) for m in (2, 3, 5)]
    return [
        written(matrix_io.write_matrix, True, MATRIX),
        written(matrix_io.write_matrix, False, MATRIX),
        written(matrix_io.write_vector, True, MATRIX[0]),
        written(matrix_io.write_vector, False, MATRIX[0]),
        written(matrix_io.write_packed, True, MATRIX[0, :3]),
        *compressed,
    ]


BASES = bases()


@given(READERS, st.booleans(), st.sampled_from(BASES), st.data())
def test_mutations_raise_kaldi_errors_only(reader, binary, base, data):
    mutated = bytearray(base)
    for _ in range(data.draw(st.integers(0, 4))):
        mutated[data.draw(st.integers(0, min(30, len(mutated) - 1)))] = data.draw(st.integers(0, 255))
    del mutated[data.draw(st.integers(0, len(mutated))) :]
    with contextlib.suppress(KaldiError):
        read(reader, bytes(mutated), binary)
