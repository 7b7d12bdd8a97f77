"""Every program that takes a model takes TorchScript, torch.export and ONNX files with the transition model inside: it
gives the same as with the .mdl that they were made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.bin.copy_transition_model import main as copy_transition_model
from kaldi_bridge.commands.bin.show_transitions import main as show_transitions
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, INT32_VECTOR
from nnet3_compat.commands.models.export import main as export
from nnet3_compat.commands.nnet3bin.nnet3_compute import main as compute
from nnet3_compat.commands.nnet3bin.nnet3_latgen_faster import main as latgen_faster
from nnet3_compat.commands.nnet3bin.nnet3_latgen_faster_looped import main as latgen_faster_looped
from nnet3_compat.model.model_file import read_model
from tests.helpers.places import ROOT

TINY = ROOT / "egs/tiny"
MDL, GRAPH = str(TINY / "model/final.mdl"), str(TINY / "graph/HCLG.fst")
OPTIONS = ["--frame-subsampling-factor=3", "--acoustic-scale=1.0"]
NEEDS = {"onnx": ["onnxscript", "onnxruntime"]}


@pytest.fixture(scope="module", params=["torchscript", pytest.param("pt2", marks=pytest.mark.slow),
                                        pytest.param("onnx", marks=pytest.mark.slow)])  # fmt: skip
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    for package in NEEDS.get(request.param, []):
        pytest.importorskip(package)
    path = str(tmp_path_factory.mktemp("archive") / "model")
    assert run(export, [f"--format={request.param}", "--frame-subsampling-factor=3", MDL, path]) == 0
    return path


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> str:
    path, random = tmp_path_factory.mktemp("features") / "ark", np.random.default_rng(1)
    with TableWriter(f"ark:{path}", FLOAT_MATRIX) as writer:
        for key, frames in (("a", 80), ("b", 61)):
            writer.write(key, random.normal(size=(frames, read_model(MDL).nnet.input_dim())).astype(np.float32))
    return f"ark:{path}"


def test_lattices(archive: str, features: str, tmp_path: Path) -> None:
    for program in (latgen_faster, latgen_faster_looped):
        for model, name in ((MDL, "want"), (archive, "got")):
            outputs = [f"ark:{tmp_path}/{name}", f"ark:{tmp_path}/{name}.words", f"ark:{tmp_path}/{name}.ali"]
            assert run(program, [*OPTIONS, model, GRAPH, features, *outputs]) == 0
        for kind in ("words", "ali"):
            want, got = (dict(SequentialReader(f"ark:{tmp_path}/{n}.{kind}", INT32_VECTOR)) for n in ("want", "got"))
            assert want.keys() == got.keys() == {"a", "b"} and all(np.array_equal(want[k], got[k]) for k in want)
        want, got = (dict(SequentialReader(f"ark:{tmp_path}/{n}", COMPACT_LATTICE)) for n in ("want", "got"))
        for key in want:
            assert len(want[key].to_lists()[0]) == len(got[key].to_lists()[0])


def test_outputs(archive: str, features: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """To 1e-4, relative and absolute."""
    options = ["--use-gpu=no", "--frame-subsampling-factor=3"]
    for model, name in ((MDL, "want"), (archive, "got")):
        assert run(compute, [*options, model, features, f"ark:{tmp_path}/{name}"]) == 0
    want, got = (dict(SequentialReader(f"ark:{tmp_path}/{n}", FLOAT_MATRIX)) for n in ("want", "got"))
    for key in want:
        np.testing.assert_allclose(got[key], want[key], rtol=1e-4, atol=1e-4)
    capfd.readouterr()
    assert run(compute, [*options, "--precision=int8", archive, features, "ark:/dev/null"]) == 255
    assert "this is no nnet3 network" in capfd.readouterr().err


def test_transition_models(archive: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What needs no network reads it without torch."""
    for model, name in ((MDL, "want"), (archive, "got")):
        assert run(copy_transition_model, [model, str(tmp_path / name)]) == 0
    assert (tmp_path / "got").read_bytes() == (tmp_path / "want").read_bytes()
    capfd.readouterr()
    assert run(show_transitions, [str(TINY / "model/phones.txt"), archive]) == 0
    assert "Transition-state 1: phone = " in capfd.readouterr().out
