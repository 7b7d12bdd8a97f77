"""Objectives on examples with a target for each frame: Kaldi's outputs, show-progress's derivatives, mistakes."""

import re
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.examples.frame_examples import EXAMPLE, NnetExample, NnetIo
from kaldi_bridge.io.sparse import SparseMatrix
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.commands.nnet3bin import nnet3_compute_prob as compute_prob
from nnet3_compat.commands.nnet3bin import nnet3_init as init
from nnet3_compat.commands.nnet3bin import nnet3_show_progress as show_progress
from nnet3_compat.model.model_file import read_nnet, write_model
from nnet3_compat.model.whole_network import scale

CONFIG = """input-node name=input dim=3
component name=a type=AffineComponent input-dim=9 output-dim=8 param-stddev=0.3 bias-stddev=0.3
component-node name=a component=a input=Append(Offset(input, -1), input, Offset(input, 1))
component name=tanh type=TanhComponent dim=8
component-node name=tanh component=tanh input=a
component name=b type=AffineComponent input-dim=8 output-dim=4 param-stddev=0.3 bias-stddev=0.3
component-node name=b component=b input=tanh
component name=softmax type=LogSoftmaxComponent dim=4
component-node name=softmax component=softmax input=b
output-node name=output input=softmax objective=linear
output-node name=square input=b objective=quadratic
"""


def indexes(sequences: int, first: int, frames: int, by_frame: bool = False) -> np.ndarray:
    rows = [(n, first + t, 0) for n in range(sequences) for t in range(frames)]
    return np.array(sorted(rows, key=lambda r: (r[1], r[0])) if by_frame else rows, np.int32)


def example(rows_by_frame: bool = False) -> NnetExample:
    """Two sequences of three frames; more context on the left than the network needs."""
    random = np.random.default_rng(5)
    features = random.standard_normal((2, 7, 3)).astype(np.float32)
    targets = random.integers(0, 4, (2, 3))
    order = indexes(2, 0, 3, rows_by_frame)
    rows = [(np.array([targets[n, t]], np.int32), np.array([0.5], np.float32)) for n, t, _ in order.tolist()]
    return NnetExample(
        [
            NnetIo("input", indexes(2, -3, 7), features.reshape(14, 3)),
            NnetIo("output", order, SparseMatrix.from_rows(rows, 4)),
        ]
    )


def write(path: Path, *examples: NnetExample) -> str:
    with TableWriter(f"ark:{path}", EXAMPLE) as writer:
        for i, each in enumerate(examples):
            writer.write(f"eg{i}", each)
    return f"ark:{path}"


@pytest.fixture
def model(tmp_path: Path) -> str:
    (tmp_path / "config").write_text(CONFIG)
    assert run(init.main, ["--srand=1", f"{tmp_path}/config", f"{tmp_path}/0.raw"]) == 0
    return f"{tmp_path}/0.raw"


def printed(capfd: pytest.CaptureFixture[str], pattern: str) -> list[str]:
    return re.findall(pattern, capfd.readouterr().err)


def test_kaldis_outputs(reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The objective of whole utterances as one example each, from the outputs that Kaldi computed."""
    zoo = reference / "zoo"
    random = np.random.default_rng(2)
    expected, weight, examples = 0.0, 0.0, []
    with (
        SequentialReader(f"ark:{zoo}/inputs/feats.ark", FLOAT_MATRIX) as table,
        SequentialReader(f"ark:{zoo}/tdnn-renorm/output.sub1.ark", FLOAT_MATRIX) as outputs,
    ):
        for (key, features), (same_key, output) in zip(table, outputs, strict=True):
            assert key == same_key
            frames = len(features)
            padded = np.concatenate([features[:1].repeat(5, 0), features, features[-1:].repeat(6, 0)])
            target = random.random((frames, output.shape[1])).astype(np.float32)
            parts = [
                NnetIo("input", indexes(1, -5, frames + 11), padded),
                NnetIo("output", indexes(1, 0, frames), target),
            ]
            examples.append(NnetExample(parts))
            expected += float((output * target).sum())
            weight += float(target.sum())
    egs = write(tmp_path / "egs", *examples)
    assert run(compute_prob.main, [f"{zoo}/tdnn-renorm/model.raw", egs]) == 0
    [(value, count)] = printed(capfd, r"Overall log-likelihood for 'output' is (\S+) per frame, over (\S+) frames")
    assert float(value) == pytest.approx(expected / weight, rel=1e-4)
    assert float(count) == pytest.approx(weight, rel=1e-4)


def test_order_of_rows_does_not_matter(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = []
    for by_frame in (False, True):
        egs = write(tmp_path / "egs", example(by_frame))
        assert run(compute_prob.main, ["--compute-per-dim-accuracy=true", model, egs]) == 0
        lines.append(printed(capfd, r"Overall .*"))
    assert lines[0] == lines[1]
    assert len(lines[0]) == 3
    assert "over 3 frames" in lines[0][0]  # six targets of weight 0.5


def test_quadratic_objective(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    parts = example().io
    target = np.zeros((6, 4), np.float32)
    egs = write(tmp_path / "egs", NnetExample([parts[0], NnetIo("square", parts[1].indexes, target)]))
    assert run(compute_prob.main, ["--compute-accuracy=false", model, egs]) == 0
    [(value, count)] = printed(capfd, r"Overall objective for 'square' is (\S+) per frame, over (\S+) frames")
    assert float(value) < 0
    assert count == "6"


def test_progress_predicts_the_change(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The changes per component add up to the change of the objective."""
    nnet = read_nnet(model)
    scale(nnet, 1.1)
    write_model(f"{tmp_path}/1.raw", nnet)
    egs = write(tmp_path / "egs", example())
    objectives = []
    for path in (model, f"{tmp_path}/1.raw"):
        assert run(compute_prob.main, [path, egs]) == 0
        objectives.append(float(printed(capfd, r"log-likelihood for 'output' is (\S+)")[0]))
    assert run(show_progress.main, ["--num-segments=4", model, f"{tmp_path}/1.raw", egs]) == 0
    messages = capfd.readouterr().err
    assert re.findall(r"At position (\S+),", messages) == ["0.125", "0.375", "0.625", "0.875"]
    [changes] = re.findall(r"Total objf change per component is \[ (.*) \]", messages)
    by_component = {name: float(value) for name, value in (item.split(":") for item in changes.split())}
    assert list(by_component) == ["a", "b"]
    assert sum(by_component.values()) == pytest.approx(objectives[1] - objectives[0], rel=0.02)
    assert "Relative parameter differences per layer are [ a:0.1 b:0.1 ]" in messages


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda io: io.pop(0), "named 'input'"),
        (lambda io: io.pop(1), "no output"),
        (lambda io: setattr(io[0], "name", "inputs"), "'inputs'|named 'input'"),
        (lambda io: setattr(io[1], "features", np.zeros((6, 5), np.float32)), "mismatch for 'output'"),
        (lambda io: setattr(io[0], "indexes", indexes(2, 1, 7)), "begins at frame 1"),
        (lambda io: setattr(io[0], "indexes", indexes(7, -3, 2)), "do not fit"),
        (lambda io: setattr(io[0], "indexes", 2 * indexes(2, -3, 7)), "do not fit"),
        (lambda io: setattr(io[1], "indexes", indexes(2, 0, 3) ** 2), "equal distances"),
    ],
)
def test_examples_that_do_not_fit(model: str, tmp_path: Path, capfd, change, what: str) -> None:
    bad = example()
    change(bad.io)
    egs = write(tmp_path / "egs", bad)
    assert run(compute_prob.main, [model, egs]) == 255
    message = capfd.readouterr().err
    assert re.search(what, message)
    assert "a bug" not in message


def test_no_examples(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    egs = write(tmp_path / "egs")
    assert run(compute_prob.main, [model, egs]) == 1
    assert run(show_progress.main, [model, model, egs]) == 255
    assert "No examples" in capfd.readouterr().err
