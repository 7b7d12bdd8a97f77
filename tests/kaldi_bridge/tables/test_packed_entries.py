"""Entries that are packed, written and read many at a time: the same as one by one."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.hmm.alignments import pdfs_of
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR, SPARSE_POSTERIOR
from kaldi_bridge.tables.integer_batches import MOST, IntegerBatch, integer_batches
from kaldi_bridge.tables.posterior import SparsePosterior

KEYS = ["a", "bé", "c\udcff", "d"]  # the third one is no UTF-8
VECTORS = [np.array(values, np.int32) for values in ([3, 1], [], [2], [5, 5, 4])]


def batch() -> IntegerBatch:
    [made] = integer_batches(zip(KEYS, VECTORS, strict=True))
    return made


@pytest.mark.parametrize("wspecifier", ["ark:{}", "ark,f:{}", "ark,t:{}", "ark,scp:{},scp"])
def test_written_as_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wspecifier: str) -> None:
    monkeypatch.chdir(tmp_path)
    written = []
    for packed in (True, False):
        with TableWriter(wspecifier.format("ints"), INT32_VECTOR) as writer:
            if packed:
                writer.write_packed(KEYS, batch().packed())
            else:
                for key, vector in zip(KEYS, VECTORS, strict=True):
                    writer.write(key, vector)
        with TableWriter(wspecifier.format("posts"), SPARSE_POSTERIOR) as writer:
            if packed:
                writer.write_packed(KEYS, batch().packed_posteriors())
            else:
                for key, vector in zip(KEYS, VECTORS, strict=True):
                    ones = np.ones(len(vector), np.float32)
                    writer.write(key, SparsePosterior(np.arange(len(vector) + 1), vector, ones))
        written.append({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert written[0] == written[1]


def test_batches_keep_the_order(tmp_path: Path) -> None:
    vectors = {f"u{i:05}": np.full(i % 4, i, np.int32) for i in range(2 * MOST + 1)}
    batches = list(integer_batches(vectors.items()))
    assert [len(each.keys) for each in batches] == [MOST, MOST, 1]
    for key, vector in (entry for each in batches for entry in each):
        assert np.array_equal(vector, vectors.pop(key))
    assert not vectors
    assert not list(integer_batches([]))


def test_bad_keys_and_numbers(tmp_path: Path) -> None:
    with (
        pytest.raises(KaldiError, match="cannot be a key"),
        TableWriter(f"ark:{tmp_path}/out", INT32_VECTOR) as writer,
    ):
        writer.write_packed(["b c"], b"")
    assert not list(tmp_path.iterdir())

    class Model:
        def pdfs_of(self, ids: np.ndarray) -> np.ndarray:
            if (ids > 3).any():
                raise KaldiError(f"{ids.max()} is no transition-id of the model")
            return ids

    model: TransitionModel = Model()  # type: ignore[assignment]
    with pytest.raises(KaldiError, match="^ark:ali: utterance d: 5 is no transition-id"):
        pdfs_of(model, batch(), "ark:ali")
    with pytest.raises(ValueError, match="each entry needs a key"):
        _csrc.pack_integer_entries(KEYS[:3], batch().vectors.offsets, batch().vectors.values)


def test_what_is_at_the_end_of_a_buffer(tmp_path: Path) -> None:
    """Entries of all sizes, so that some lie across the ends of buffers, also of pipes; and one that is longer."""
    random = np.random.default_rng(0)
    lengths = [*random.integers(0, 4000, 300).tolist(), 200_000, 3]
    vectors = [random.integers(-9, 9, length).astype(np.int32) for length in lengths]
    with TableWriter(f"ark:{tmp_path}/ark", INT32_VECTOR) as writer:
        for number, vector in enumerate(vectors):
            writer.write(str(number), vector)
    for rspecifier in (f"ark:{tmp_path}/ark", f"ark:cat {tmp_path}/ark |"):
        with SequentialReader(rspecifier, INT32_VECTOR) as reader:
            read = list(reader)
        assert [key for key, _ in read] == [str(number) for number in range(len(vectors))]
        assert all(np.array_equal(made, vector) for (_, made), vector in zip(read, vectors, strict=True))
