"""What real Kaldi wrote: read, converted and written back byte for byte."""

from __future__ import annotations

import filecmp

import kaldi_native_io as judge
import numpy as np
import pytest

from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import (
    DOUBLE_MATRIX,
    FLOAT_MATRIX,
    GENERAL_MATRIX,
    INT32_VECTOR,
    POSTERIOR,
    compressed_matrix,
)

FEATS = [("feats.ark", FLOAT_MATRIX), ("feats.txt", FLOAT_MATRIX)]
CASES = [
    ("feats.ark", FLOAT_MATRIX, "ark", "feats.ark"),
    ("feats.ark", FLOAT_MATRIX, "ark,t", "feats.txt"),
    ("feats.txt", FLOAT_MATRIX, "ark,t", "feats.txt"),
    ("pdf.ark", INT32_VECTOR, "ark", "pdf.ark"),
    ("pdf.ark", INT32_VECTOR, "ark,t", "pdf.txt"),
    ("pdf.txt", INT32_VECTOR, "ark", "pdf.ark"),
    ("post.ark", POSTERIOR, "ark", "post.ark"),
    ("post.ark", POSTERIOR, "ark,t", "post.txt"),
    ("post.txt", POSTERIOR, "ark", "post.ark"),
    ("cmvn.double.ark", DOUBLE_MATRIX, "ark", "cmvn.double.ark"),
    ("cmvn.double.ark", FLOAT_MATRIX, "ark,t", "cmvn.txt"),
    ("cmvn.txt", FLOAT_MATRIX, "ark,t", "cmvn.txt"),
]
for method in range(1, 8):
    CASES += [
        ("feats.ark", compressed_matrix(method), "ark", f"compressed{method}.ark"),
        (f"compressed{method}.ark", FLOAT_MATRIX, "ark", f"compressed{method}.decoded.ark"),
        (f"compressed{method}.ark", GENERAL_MATRIX, "ark", f"compressed{method}.ark"),
    ]


@pytest.mark.parametrize(("source", "holder", "options", "expected"), CASES)
def test_byte_for_byte(reference, tmp_path, source, holder, options, expected):
    tables = reference / "tables"
    with TableWriter(f"{options}:{tmp_path}/out", holder) as writer:
        for key, value in SequentialReader(f"ark:{tables / source}", holder):
            writer.write(key, value)
    assert filecmp.cmp(tmp_path / "out", tables / expected, shallow=False)


def test_script_file(reference, tmp_path, monkeypatch):
    monkeypatch.chdir(reference / "tables")
    archive = dict(SequentialReader("ark:feats.ark", FLOAT_MATRIX))
    scripted = dict(SequentialReader("scp:feats.scp", FLOAT_MATRIX))
    reader = RandomAccessReader("scp:feats.scp", FLOAT_MATRIX)
    assert list(scripted) == list(archive)
    for key, value in archive.items():
        assert np.array_equal(scripted[key], value) and np.array_equal(reader[key], value)
    with TableWriter(f"ark,scp:{tmp_path}/feats.ark,{tmp_path}/feats.scp", FLOAT_MATRIX) as writer:
        for key, value in archive.items():
            writer.write(key, value)
    ours = (tmp_path / "feats.scp").read_text().replace(f"{tmp_path}/", "")
    assert ours == open("feats.scp").read()  # noqa: SIM115


@pytest.mark.parametrize("data", ["train", "test", "train_hires", "test_hires"])
def test_as_kaldi_native_io_reads_them(reference, data):
    archives = [path for path in sorted((reference / "fsdd" / "data" / data).rglob("*.ark")) if path.stat().st_size]
    assert archives
    for path in archives:
        count = 0
        with judge.SequentialFloatMatrixReader(f"ark:{path}") as theirs:
            for (key, value), (their_key, their_value) in zip(
                SequentialReader(f"ark:{path}", FLOAT_MATRIX), theirs, strict=True
            ):
                assert key == their_key and np.array_equal(value, their_value)
                count += 1
        assert count
