"""Mutated archives and script files: a KaldiError or a value, in bounded time and memory, never anything else."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.sparse import SparseMatrix
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter, holders
from kaldi_bridge.tables.scp import read_lines, split_range
from tests.helpers.objects import CASES, MATRIX, wave_bytes

SPARSE = SparseMatrix.from_rows([(np.array([0, 2]), np.array([0.5, 1.5]))], 4)
VALUES = {name: values for name, (values, _) in CASES.items()}
VALUES |= {"GENERAL_MATRIX": [SPARSE, CompressedMatrix.compress(MATRIX, 2)], "COMPRESSED_MATRIX": [MATRIX]}


@st.composite
def mutations(draw, base: bytes):
    data = bytearray(base)
    for _ in range(draw(st.integers(0, 5))):
        position = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(["change", "insert", "delete"]))
        if kind == "insert":
            data[position:position] = draw(
                st.binary(max_size=6) | st.sampled_from([b" ", b"\n", b"]", b"[", b";", b"nan"])
            )
        elif kind == "delete":
            del data[position : position + draw(st.integers(1, 8))]
        elif position < len(data):
            data[position] = draw(st.integers(0, 255))
    return bytes(data)


@pytest.mark.parametrize("options", ["ark", "ark,t"])
@pytest.mark.parametrize("name", VALUES)
def test_archives(name, options, tmp_path):
    holder = getattr(holders, name)
    path = tmp_path / "x.ark"
    with TableWriter(f"{options}:{path}", holder) as writer:
        for i, value in enumerate(VALUES[name]):
            writer.write(f"key{i}", value)
    base = path.read_bytes()

    @settings(max_examples=60, deadline=2000, suppress_health_check=list(HealthCheck))
    @given(mutations(base), st.sampled_from(["ark", "ark,p", "ark,s,cs", "ark,bg"]))
    def check(data, kind):
        path.write_bytes(data)
        with contextlib.suppress(KaldiError), SequentialReader(f"{kind}:{path}", holder) as reader:
            for _ in reader:
                pass
        with contextlib.suppress(KaldiError), RandomAccessReader(f"{kind}:{path}", holder) as table:
            table.get("key1")

    check()


@settings(max_examples=200, deadline=2000)
@given(mutations(wave_bytes(extra=b"LIST\3\0\0\0abc")))
def test_waves(data):
    with contextlib.suppress(KaldiError):
        holders.WAVE.read(InputStream.from_bytes(data))


@settings(max_examples=200)
@given(mutations(b"key1 file.ark:12[0:3,1:2]\nkey2 file |\n"))
def test_script_files(data):
    with contextlib.suppress(KaldiError):
        for _, filename in read_lines(InputStream.from_bytes(data)):
            split_range(filename)


@settings(max_examples=200)
@given(st.text("0123456789:,-+ ", max_size=12))
def test_ranges(text):
    for holder, value in ((holders.FLOAT_MATRIX, MATRIX), (holders.FLOAT_VECTOR, MATRIX[0])):
        with contextlib.suppress(KaldiError):
            assert holder.extract_range(value, text).size > 0
