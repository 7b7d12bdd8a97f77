"""Models in eight bits: on file, and computed."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.commands.models.export import main as export
from nnet3_compat.commands.nnet3bin.nnet3_am_copy import main as am_copy
from nnet3_compat.components import set_seed
from nnet3_compat.components.int8_matrix import Int8Matrix
from nnet3_compat.folded.model import folded_model
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.int8 import write_int8_model
from nnet3_compat.model.model_file import read_any, read_model, read_nnet, write_model
from nnet3_compat.structure.nnet import Nnet

NETWORK = """
input-node name=input dim=7
component name=a1 type=NaturalGradientAffineComponent input-dim=21 output-dim=70
component name=r1 type=RectifiedLinearComponent dim=70
component name=l2 type=TdnnComponent input-dim=70 output-dim=20 time-offsets=-3,0 use-bias=false
component name=a2 type=TdnnComponent input-dim=20 output-dim=70 time-offsets=0,3
component name=r2 type=RectifiedLinearComponent dim=70
component name=b2 type=BatchNormComponent dim=70
component name=out type=AffineComponent input-dim=70 output-dim=45
component-node name=a1 component=a1 input=Append(Offset(input, -1), input, Offset(input, 1))
component-node name=r1 component=r1 input=a1
component-node name=l2 component=l2 input=r1
component-node name=a2 component=a2 input=l2
component-node name=r2 component=r2 input=a2
component-node name=b2 component=b2 input=r2
component-node name=out component=out input=Sum(Scale(0.66, r1), b2)
output-node name=output input=out
"""


def made_up() -> Nnet:
    set_seed(3)
    nnet, random = Nnet.from_config(NETWORK.strip().splitlines()), np.random.default_rng(4)
    norm = nnet.components["b2"]
    mean, variance = random.normal(size=70), random.uniform(0.5, 2, 70)
    norm.count, norm.stats_sum, norm.stats_sumsq = 10.0, 10 * mean, 10 * (variance + mean * mean)  # type: ignore[attr-defined]
    return nnet


def computed(nnet: Nnet, precision: str) -> np.ndarray:
    """Outputs for 30 frames."""
    model = folded_model(nnet, 1, 1, precision)
    assert model is not None
    frames = model.left_context + 30 + model.right_context
    features = np.random.default_rng(5).normal(size=(1, frames, 7)).astype(np.float32)
    return model(features, None, model.left_context, 30)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
def test_matrix(size: tuple[int, int]) -> None:
    """Within half a step of each row's; rounded again, also when rows are scaled, nothing changes."""
    random = np.random.default_rng(1)
    matrix = (random.normal(size=size) * 10.0 ** random.integers(-9, 9, (size[0], 1))).astype(np.float32)
    matrix[0] = 0
    rounded = Int8Matrix.of(matrix)
    assert (np.abs(rounded.floats() - matrix) <= 0.5001 * rounded.scales[:, None]).all()
    assert (np.abs(rounded.values[1:]).max(1) == 127).all() and not rounded.values[0].any()
    again = Int8Matrix.of(rounded.floats() * random.uniform(0.1, 9, (size[0], 1)).astype(np.float32))
    np.testing.assert_array_equal(again.values, rounded.values)
    with pytest.raises(KaldiError, match="infinities or NaNs"):
        Int8Matrix.of(np.array([[np.inf, 1]], np.float32))


def test_a_file_computes_as_what_was_exported(tmp_path: Path) -> None:
    """Rounded on file or when it is read: what is float32 differs, here and there."""
    nnet = made_up()
    exact = computed(nnet, "float32")
    size = np.abs(exact).mean()
    write_int8_model(str(tmp_path / "small"), nnet)
    read = read_nnet(str(tmp_path / "small"))
    assert read.precision == "int8" and nnet.precision == "float32"
    assert 0 < np.abs(computed(read, "int8") - exact).mean() < 0.02 * size
    assert 0 < np.abs(computed(read, "int8") - computed(nnet, "int8")).mean() < 0.02 * size
    assert 0 < np.abs(computed(read, "float32") - exact).mean() < 0.02 * size
    assert 0 < np.abs(computed(nnet, "bfloat16") - exact).mean() < 0.02 * size
    write_int8_model(str(tmp_path / "again"), read)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "small").read_bytes()


def test_digits(reference: Path, tmp_path: Path) -> None:
    """A .mdl: a quarter of the size; Kaldi's transition model comes first; what training needs is left out."""
    given, small, back = reference / "fsdd/tdnnf_cmvn/final.mdl", tmp_path / "small", tmp_path / "back"
    assert run(export, ["--format=int8", str(given), str(small)]) == 0
    assert small.stat().st_size < given.stat().st_size / 4
    model, read = read_model(str(given)), read_any(str(small))
    assert isinstance(read, AmNnet) and read.nnet.precision == "int8"
    assert read.nnet.node("output-xent") is None and model.nnet.node("output-xent") is not None
    head = small.read_bytes().index(b"<Nnet3Int8>")
    assert small.read_bytes()[:head] == given.read_bytes()[:head]
    assert run(am_copy, [str(small), str(back)]) == 0  # Kaldi's own again, with rounded parameters
    kept = read_model(str(back)).nnet
    assert kept.precision == "float32"
    for name in ("tdnn1.affine", "tdnnf2.linear", "output.affine"):
        expected, found = (nnet.components[name].linear_params for nnet in (read.nnet, kept))  # type: ignore[attr-defined]
        np.testing.assert_array_equal(found, expected)


def test_errors_of_rounding_are_not_all_on_one_side(reference: Path) -> None:
    """Of a float32 model as of one exported in eight bits: what batch norms add is multiplied by rounded weights."""
    nnet = read_model(str(reference / "fsdd/tdnnf_cmvn/final.mdl")).nnet
    model, rounded = folded_model(nnet, 3, 1, "float32"), folded_model(nnet, 3, 1, "int8")
    assert model is not None and rounded is not None
    errors = []
    with SequentialReader(f"ark:{reference / 'fsdd/data/test_hires/feats.ark'}", FLOAT_MATRIX) as reader:
        for _, x in itertools.islice(reader, 15):
            x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)[np.newaxis]
            count = (x.shape[1] - model.left_context - model.right_context) // 3
            found, expected = (m(x, None, m.left_context, count)[0] for m in (rounded, model))
            errors.append(found - expected)
    error = np.concatenate(errors)
    assert np.abs(error.mean(0)).mean() < 0.15 * error.std() and error.std() < 0.02


@pytest.mark.parametrize("name", ["cnn-tdnnf", "tdnn-lstmp-fast", "attention"])
def test_networks_that_torch_computes(name: str, reference: Path, tmp_path: Path) -> None:
    write_int8_model(str(tmp_path / "small"), read_nnet(str(reference / "zoo" / name / "model.raw")))
    write_model(str(tmp_path / "float"), read_nnet(str(tmp_path / "small")))
    assert (tmp_path / "small").stat().st_size < 0.7 * (tmp_path / "float").stat().st_size


def test_bad_files(tmp_path: Path) -> None:
    path = tmp_path / "small"
    write_int8_model(str(path), made_up())
    data = path.read_bytes()
    at = data.index(b"I8 ")
    for contents, message in (
        (data[: at + 40], "truncated"),
        (data[: at + 4] + (-5).to_bytes(4, "little", signed=True) + data[at + 8 :], "size -5 x"),
        (data[: at + 4] + (1 << 30).to_bytes(4, "little") + data[at + 8 :], "truncated"),
        (data[: at + 13] + b"\xff" * 4 + data[at + 17 :], "must be finite"),
    ):
        path.write_bytes(contents)
        with pytest.raises(KaldiError, match=message):
            read_any(str(path))
    with open_input(str(path)) as stream, pytest.raises(KaldiError, match="expected the token I8"):
        Int8Matrix.read(stream)


def test_export_says_what_does_not_go_together(capfd: pytest.CaptureFixture[str]) -> None:
    for option, message in (
        ("--binary=false", "binary mode only"),
        ("--frame-subsampling-factor=3", "do not go with --format=int8"),
    ):
        assert run(export, ["--format=int8", option, "in", "out"]) == 255
        assert message in capfd.readouterr().err
