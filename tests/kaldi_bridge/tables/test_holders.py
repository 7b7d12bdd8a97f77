"""Every kind of object, binary and text, both ways; kaldi_native_io (Kaldi's own code) is the judge."""

from __future__ import annotations

from pathlib import Path

import kaldi_native_io as judge
import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.sparse import SparseMatrix, to_dense
from kaldi_bridge.io.wave import Wave, read_wave_pieces
from kaldi_bridge.tables import SequentialReader, TableWriter, holders
from kaldi_bridge.tables.posterior import SparsePosterior
from tests.helpers.objects import CASES, MATRIX, RANDOM, wave_bytes


def plain(value):
    """Nested lists, whatever the types; real numbers in seven digits, as the text form has them."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value


@pytest.mark.parametrize("options", ["ark", "ark,t"])
@pytest.mark.parametrize("name", CASES)
def test_as_kaldi_does(name, options, tmp_path):
    holder = getattr(holders, name)
    values, kaldis_name = CASES[name]
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    with TableWriter(f"{options}:{ours}", holder) as writer:
        for i, value in enumerate(values):
            writer.write(f"key{i}", value)
    read_back = dict(SequentialReader(f"ark:{ours}", holder))
    assert plain(list(read_back.values())) == plain(values)
    if name == "GAUSS_POSTERIOR":  # its Python form over there takes no arrays
        return
    with getattr(judge, f"{kaldis_name}Writer")(f"{options}:{theirs}") as native:
        for i, value in enumerate(values):
            native.write(f"key{i}", value.tolist() if name == "INT32_VECTOR" else value)
    written = ours.read_bytes()
    if name == "TOKEN_VECTOR":  # Kaldi itself ends each word with a space
        written = written.replace(b"b \n", b"b\n")
    assert written == theirs.read_bytes()
    with getattr(judge, f"Sequential{kaldis_name}Reader")(f"ark:{ours}") as native:
        assert [plain(value) for _, value in native] == plain(values)


@pytest.mark.parametrize("method", range(1, 8))
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 8, 9, 50])
def test_compression(method, rows, tmp_path):
    kind = method in (4, 6, 7)
    scale = {4: 20000, 6: 120, 7: 0.5}.get(method, 1)
    matrix = ((RANDOM.standard_normal((rows, 5)) + (0 if method in (4,) or not kind else 1)) * scale).astype(np.float32)
    matrix[:, 0] = 3.25
    matrices = [matrix, np.full((rows, 2), -7.5, np.float32), (matrix * 1e-3 + 1e4).astype(np.float32)]
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    with TableWriter(f"ark:{ours}", holders.compressed_matrix(method)) as writer:
        for i, value in enumerate(matrices):
            writer.write(f"key{i}", value)
    with judge.CompressedMatrixWriter(f"ark:{theirs}") as native:
        for i, value in enumerate(matrices):
            native.write(f"key{i}", value, judge.CompressionMethod(method))
    assert ours.read_bytes() == theirs.read_bytes()
    with judge.SequentialFloatMatrixReader(f"ark:{ours}") as native:
        expected = {key: value.copy() for key, value in native}  # its arrays die with the next one
    for key, value in SequentialReader(f"ark:{ours}", holders.FLOAT_MATRIX):
        assert np.array_equal(value, expected[key])


def test_compressed_matrices_go_through_unchanged(tmp_path):
    first, second = f"{tmp_path}/first", f"{tmp_path}/second"
    for method in range(1, 8):
        with TableWriter(f"ark:{first}", holders.compressed_matrix(method)) as writer:
            writer.write("a", np.abs(MATRIX) / 4)
        with TableWriter(f"ark:{second}", holders.GENERAL_MATRIX) as writer:
            for key, value in SequentialReader(f"ark:{first}", holders.GENERAL_MATRIX):
                assert isinstance(value, CompressedMatrix)
                writer.write(key, value)
        assert Path(first).read_bytes() == Path(second).read_bytes()
    with pytest.raises(KaldiError, match="cannot be compressed"):
        CompressedMatrix.compress(np.array([[np.inf, 1.0]]))
    assert CompressedMatrix.compress(np.array([[np.nan, 1.0, 2.0]])).decompress().tolist() == [[1.0, 1.0, 2.0]]
    assert CompressedMatrix.compress(np.zeros((0, 0))).decompress().shape == (0, 0)


@pytest.mark.parametrize("options", ["ark", "ark,t"])
def test_general_matrices(options, tmp_path):
    sparse = SparseMatrix.from_rows([(np.array([0, 4]), np.array([0.5, 2.0])), (np.zeros(0, int), np.zeros(0))], 6)
    values = {"sparse": sparse, "full": MATRIX}
    with TableWriter(f"{options}:{tmp_path}/x", holders.GENERAL_MATRIX) as writer:
        for key, value in values.items():
            writer.write(key, value)
    back = dict(SequentialReader(f"ark:{tmp_path}/x", holders.GENERAL_MATRIX))
    assert isinstance(back["sparse"], SparseMatrix) and back["sparse"].dim == 6
    assert back["sparse"].to_dense().tolist() == [[0.5, 0, 0, 0, 2, 0], [0] * 6]
    assert np.allclose(to_dense(back["full"]), MATRIX, rtol=1e-6, atol=0)
    if options == "ark,t":
        assert (tmp_path / "x").read_text().splitlines(True)[0] == "sparse rows=2 dim=6 [ 0 0.5 4 2 ] dim=6 [ ] \n"


@pytest.mark.parametrize(
    "name", ["FLOAT", "INT32_VECTOR", "POSTERIOR", "TOKEN", "INT32_PAIR_VECTOR", "INT32_VECTOR_VECTOR"]
)
@pytest.mark.parametrize("text", ["a \n", "a 1 x\n", "a [ 1 x ]\n", "a 1.5 ; 2\n", "a ; 1\n", "a 1", "a"])
def test_bad_lines(name, text, tmp_path):
    (tmp_path / "x").write_text(text)
    lists_may_be_empty = name not in ("FLOAT", "TOKEN") and text == "a \n"
    without_newline = text == "a 1" and name == "INT32_VECTOR"
    if lists_may_be_empty or without_newline:
        assert len(dict(SequentialReader(f"ark:{tmp_path}/x", getattr(holders, name)))) == 1
    else:
        with pytest.raises(KaldiError):
            dict(SequentialReader(f"ark:{tmp_path}/x", getattr(holders, name)))


def test_waves(tmp_path):
    data = RANDOM.integers(-32768, 32768, (2, 1000)).astype(np.float32)
    path = tmp_path / "wave.ark"
    with TableWriter(f"ark:{path}", holders.WAVE) as writer:
        writer.write("a", Wave(8000, data))
        writer.write("b", Wave(16000, data[:1]))
    with judge.SequentialWaveReader(f"ark:{path}") as native:
        for (_, theirs), (_, ours) in zip(native, SequentialReader(f"ark:{path}", holders.WAVE), strict=True):
            assert ours.sample_frequency == theirs.sample_freq
            assert np.array_equal(ours.data, theirs.data.numpy() if hasattr(theirs.data, "numpy") else theirs.data)


def read_wave(data: bytes) -> Wave:
    return holders.WAVE.read(InputStream.from_bytes(data))


@pytest.mark.parametrize(
    "data",
    [
        wave_bytes(),
        wave_bytes(riff=0, size=0),
        wave_bytes(riff=0xFFFFFFFF, size=0xFFFFFFFF),
        wave_bytes(size=0x7FFFF000),
        wave_bytes(size=1000),
        wave_bytes(extra=b"LIST\3\0\0\0abcfact\4\0\0\0abcd"),
        wave_bytes(">", samples=b"\0\1\0\2\0\3\0\4"),
    ],
)
def test_wave_headers(data):
    wave = read_wave(data)
    assert wave.sample_frequency == 8000 and wave.data.tolist() == [[1, 2, 3, 4]]
    assert [piece.data.tolist() for piece in read_wave_pieces(InputStream.from_bytes(data), 3)] == [[[1, 2, 3]], [[4]]]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"OggS" + bytes(100),
        wave_bytes(samples=b""),
        wave_bytes(fmt=b"\3\0\1\0" + bytes(12)),
        wave_bytes(fmt=b"\1\0\0\0" + bytes(12)),
        wave_bytes(extra=b"LIST\xff\xff\xff\x7fabc"),
        wave_bytes()[:30],
    ],
)
def test_bad_waves(data):
    with pytest.raises(KaldiError):
        read_wave(data)
    with pytest.raises(KaldiError):
        list(read_wave_pieces(InputStream.from_bytes(data), 3))


def test_clipping(tmp_path):
    with TableWriter(f"ark:{tmp_path}/x", holders.WAVE) as writer:
        writer.write("a", Wave(8000, np.array([[-40000, -1.9, 1.9, 32767.5, 1e9]])))
    assert dict(SequentialReader(f"ark:{tmp_path}/x", holders.WAVE))["a"].data.tolist() == [
        [-32768, -1, 1, 32767, 32767]
    ]


def test_posteriors_that_arrive_in_pieces(tmp_path):
    """Frames of any number of pairs, cut where the input's buffer ends, are what was written."""
    counts = RANDOM.integers(0, 9, 20000)
    counts[7] = 30000
    total = int(counts.sum())
    values = RANDOM.integers(0, 1000, total), RANDOM.random(total)
    written = SparsePosterior.from_counts(counts, *values)
    with TableWriter(f"ark:{tmp_path}/post", holders.SPARSE_POSTERIOR) as writer:
        writer.write("a", written)
        writer.write("b", written)
    pieces = f"ark:dd if={tmp_path}/post bs=1000 status=none |"
    for read in dict(SequentialReader(pieces, holders.SPARSE_POSTERIOR)).values():
        for name in ("offsets", "indexes", "weights"):
            assert np.array_equal(getattr(read, name), getattr(written, name))
    cut = f"ark:head -c 700000 {tmp_path}/post |"
    with pytest.raises(KaldiError, match="truncated"):
        list(SequentialReader(cut, holders.SPARSE_POSTERIOR))
