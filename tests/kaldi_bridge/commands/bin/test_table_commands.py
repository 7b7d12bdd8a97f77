"""matrix-sum, vector-sum, matrix-sum-rows, copy-matrix and their neighbours that training scripts call."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.bin import (
    ali_to_pdf,
    ali_to_post,
    copy_int_vector,
    copy_matrix,
    matrix_sum,
    matrix_sum_rows,
    post_to_tacc,
    vector_sum,
)
from kaldi_bridge.commands.featbin import subsample_feats
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR, INT32_VECTOR, POSTERIOR

A = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two tables of matrices, of which the second lacks b, and vectors."""
    monkeypatch.chdir(tmp_path)
    for name, table in {"1": {"a": A, "b": A + 1}, "2": {"a": 10 * A}}.items():
        with TableWriter(f"ark:{name}", FLOAT_MATRIX) as writer:
            for key, value in table.items():
                writer.write(key, value)
    return tmp_path


def matrix(path: str) -> np.ndarray:
    with open_input(path) as stream:
        return FLOAT_MATRIX.read(stream)


def vector(path: str) -> np.ndarray:
    with open_input(path) as stream:
        return FLOAT_VECTOR.read(stream)


def matrices(path: str) -> dict[str, np.ndarray]:
    with SequentialReader(f"ark:{path}", FLOAT_MATRIX) as table:
        return dict(table)


def test_sum_of_tables(capfd: pytest.CaptureFixture[str]) -> None:
    assert (
        run(matrix_sum.main, ["--scale1=2", "--scale2=0.5", "ark:1", "ark:2", "ark:out"]) == 1
    )  # one of two is missing
    assert "No matrix found for utterance b for system 2" in capfd.readouterr().err
    summed = matrices("out")
    assert np.array_equal(summed["a"], 7 * A) and np.array_equal(summed["b"], 2 * (A + 1))
    assert run(matrix_sum.main, ["--average=true", "ark:1", "ark:1", "ark:1", "ark:out"]) == 0
    assert np.allclose(matrices("out")["b"], A + 1)


def test_sum_of_a_table_and_of_files(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(matrix_sum.main, ["--binary=false", "ark:1", "sum"]) == 0
    assert np.array_equal(matrix("sum"), 2 * A + 1)
    with open_output("small") as stream:
        FLOAT_MATRIX.write(stream, True, np.float32([[100.0]]))
    assert run(matrix_sum.main, ["sum", "small", "total"]) == 0
    assert np.array_equal(matrix("total"), 2 * A + 1 + [[100, 0, 0], [0, 0, 0]])
    assert run(matrix_sum.main, ["--average=true", "sum", "small", "total"]) == 0
    assert matrix("total")[0, 0] == 50.5
    for wrong in (["sum", "ark:1", "x"], ["--scale1=2", "sum", "x"], ["--average=true", "ark:1", "x"]):
        assert run(matrix_sum.main, wrong) == 255
        assert not Path("x").exists()


def test_sums_of_vectors() -> None:
    assert run(matrix_sum_rows.main, ["ark:1", "ark:rows"]) == 0
    assert run(vector_sum.main, ["ark:rows", "sum"]) == 0
    assert np.array_equal(vector("sum"), [8, 12, 16])
    assert run(vector_sum.main, ["--average=true", "ark:rows", "mean"]) == 0
    assert np.array_equal(vector("mean"), [4, 6, 8])
    assert run(vector_sum.main, ["--binary=false", "sum", "mean", "total"]) == 0
    assert Path("total").read_text() == " [ 12 18 24 ]\n"
    assert run(vector_sum.main, ["ark:rows", "ark:rows", "ark:twice"]) == 0
    with SequentialReader("ark:twice", FLOAT_VECTOR) as table:
        assert {key: value.tolist() for key, value in table} == {"a": [6, 10, 14], "b": [10, 14, 18]}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--scale=3", 3 * A),
        ("--apply-exp=true", np.exp(A)),
        ("--apply-log=true", np.log(np.maximum(A, 1e-20))),
        ("--apply-power=2", A**2),
        ("--apply-softmax-per-row=true", np.exp(A) / np.exp(A).sum(axis=1, keepdims=True)),
    ],
)
def test_copy_matrix(option: str, value: np.ndarray) -> None:
    assert run(copy_matrix.main, [option, "ark:1", "ark:out"]) == 0
    assert np.allclose(matrices("out")["a"], value, rtol=1e-6)
    assert run(copy_matrix.main, ["ark:1", "out"]) == 255
    assert run(copy_matrix.main, ["--apply-exp=true", "--apply-log=true", "ark:1", "ark:out"]) == 255


def test_subsample_feats(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(subsample_feats.main, ["--n=2", "--offset=1", "ark:1", "ark:out"]) == 0
    assert np.array_equal(matrices("out")["a"], A[1:])
    assert run(subsample_feats.main, ["--n=-2", "ark:1", "ark:out"]) == 0
    assert np.array_equal(matrices("out")["a"], A[[0, 0, 1, 1]])
    assert run(subsample_feats.main, ["--offset=2", "ark:1", "ark:out"]) == 1
    assert "would have no rows" in capfd.readouterr().err
    assert run(subsample_feats.main, ["--n=0", "ark:1", "ark:out"]) == 255


def test_alignments(reference: Path) -> None:
    """As pdfs, as posteriors, as sums for each transition-id and pdf."""
    model, alignments = f"{reference}/fsdd/tri1/final.mdl", f"ark:gunzip -c {reference}/fsdd/tri1/ali.1.gz |"
    assert run(copy_int_vector.main, [alignments, "ark,scp:ali.ark,ali.scp"]) == 0
    assert run(ali_to_pdf.main, [model, "scp:ali.scp", "ark:pdfs"]) == 0
    assert run(ali_to_post.main, ["scp:ali.scp", "ark:post"]) == 0
    transitions = read_transition_model(model)
    counts = np.zeros(transitions.num_transition_ids + 1)
    with (
        SequentialReader("scp:ali.scp", INT32_VECTOR) as ali,
        SequentialReader("ark:pdfs", INT32_VECTOR) as pdfs,
        SequentialReader("ark:post", POSTERIOR) as posteriors,
    ):
        for (key, ids), (_, ids_of_pdfs), (_, posterior) in zip(ali, pdfs, posteriors, strict=True):
            assert key
            assert np.array_equal(transitions.id_to_pdf[ids], ids_of_pdfs)
            assert posterior == [[(i, 1.0)] for i in ids]
            counts += np.bincount(ids, minlength=len(counts))
    assert run(post_to_tacc.main, [model, "ark:post", "accs"]) == 0
    assert np.array_equal(vector("accs"), counts.astype(np.float32))
    assert run(post_to_tacc.main, ["--per-pdf=true", "--binary=false", model, "ark:post", "accs"]) == 0
    expected = np.bincount(
        transitions.id_to_pdf[1:-1], counts[1:-1], transitions.num_pdfs
    )  # without the last, as Kaldi
    assert np.array_equal(vector("accs"), expected.astype(np.float32))
    with TableWriter("ark:bad", INT32_VECTOR) as writer:
        writer.write("a", np.array([transitions.num_transition_ids + 1], np.int32))
    assert run(ali_to_pdf.main, [model, "ark:bad", "ark:pdfs"]) == 255
    assert run(post_to_tacc.main, [model, "ark:nnet-pytorch-ali-to-post ark:bad ark:- |", "accs"]) == 255
