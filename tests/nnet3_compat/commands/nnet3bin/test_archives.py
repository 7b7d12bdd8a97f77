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
from nnet3_compat import Model, Recognizer
from nnet3_compat.commands.models.export import main as export
from nnet3_compat.commands.nnet3bin.nnet3_am_info import main as nnet3_am_info
from nnet3_compat.commands.nnet3bin.nnet3_compute import main as compute
from nnet3_compat.commands.nnet3bin.nnet3_info import main as nnet3_info
from nnet3_compat.commands.nnet3bin.nnet3_latgen_faster import main as latgen_faster
from nnet3_compat.commands.nnet3bin.nnet3_latgen_faster_looped import main as latgen_faster_looped
from nnet3_compat.commands.online2bin.online2_wav_nnet3_latgen_faster import main as online2_wav_latgen_faster
from nnet3_compat.export.onnx import streaming_to_onnx
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.model.model_file import Archive, read_any, read_model
from tests.helpers.places import ROOT
from tests.helpers.vosk_models import samples_of, tiny_folder

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


@pytest.mark.slow
def test_streams(tmp_path: Path, features: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Models that compute chunk by chunk, in what decodes while speech comes: words and alignments of the .mdl,
    costs to 0.05 (sums over an utterance)."""
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    program, onnx = str(tmp_path / "stream.pt2"), str(tmp_path / "stream.onnx")
    assert run(export, ["--streaming", "--frames-per-chunk=21", "--frame-subsampling-factor=3", MDL, program]) == 0
    made = read_any(program)
    assert isinstance(made, Archive)
    model = TorchModel.from_archive(made, program)
    Path(onnx).write_bytes(streaming_to_onnx(model.module, model.transition_model))

    folder = tiny_folder(tmp_path / "folder")
    with open(folder / "conf/mfcc.conf", "a") as config:
        config.write("--dither=0\n")
    recordings = sorted((TINY / "data/wav").glob("*.wav"))[:2]
    (tmp_path / "wav.scp").write_text("".join(f"{path.stem} {path}\n" for path in recordings))
    (tmp_path / "spk2utt").write_text("".join(f"{path.stem} {path.stem}\n" for path in recordings))
    speech = [f"ark:{tmp_path}/spk2utt", f"scp:{tmp_path}/wav.scp"]
    features_conf = f"--mfcc-config={folder}/conf/mfcc.conf"

    def online(path: str) -> dict[str, list[tuple]]:
        arguments = [*OPTIONS, features_conf, path, GRAPH, *speech, f"ark:{tmp_path}/lat"]
        assert run(online2_wav_latgen_faster, arguments) == 0
        found = SequentialReader(f"ark:{tmp_path}/lat", COMPACT_LATTICE)
        return {key: [arc for arcs in lattice.to_lists()[0] for arc in arcs] for key, lattice in found}

    def looped(path: str) -> dict[str, list[int]]:
        outputs = ["ark:/dev/null", f"ark:{tmp_path}/words", f"ark:{tmp_path}/ali"]
        options = [*OPTIONS, "--frames-per-chunk=21"]
        assert run(latgen_faster_looped, [*options, path, GRAPH, features, *outputs]) == 0
        return {key: list(ids) for key, ids in SequentialReader(outputs[2], INT32_VECTOR)}

    def heard(path: str) -> list[str]:
        (folder / "am/final.mdl").write_bytes(Path(path).read_bytes())
        recognizer = Recognizer(Model(folder), 8000.0, words=True)
        for recording in recordings:
            recognizer.accept(samples_of(recording).tobytes())
        return [word["word"] for word in recognizer.final()["result"]]

    want_online, want_looped, want_heard = online(MDL), looped(MDL), heard(MDL)
    assert want_heard and len(want_online) == len(want_looped) == 2
    for path in (program, onnx):
        assert_alike(online(path), want_online)
        assert looped(path) == want_looped
        assert heard(path) == want_heard
    for option, reason in (
        ("--frame-subsampling-factor=1", "gives an output every 3 frames"),
        ("--extra-left-context-initial=5", "has its left context fixed"),
        ("--precision=int8", "this is no nnet3 network"),
    ):
        capfd.readouterr()
        arguments = [*OPTIONS, features_conf, option, onnx, GRAPH, *speech, f"ark:{tmp_path}/none"]
        assert run(online2_wav_latgen_faster, arguments) == 255
        assert reason in capfd.readouterr().err and not (tmp_path / "none").exists()
    for offline in (latgen_faster, compute):
        names = [onnx, GRAPH, features] if offline is latgen_faster else [onnx, features]
        assert run(offline, ["--frame-subsampling-factor=3", *names, f"ark:{tmp_path}/none"]) == 255
        assert "it is for the programs that decode online" in capfd.readouterr().err


def assert_alike(found: dict[str, list[tuple]], wanted: dict[str, list[tuple]]) -> None:
    assert found.keys() == wanted.keys()
    for key, arcs in wanted.items():
        assert [(arc[0], arc[3], arc[4]) for arc in found[key]] == [(arc[0], arc[3], arc[4]) for arc in arcs]
        np.testing.assert_allclose([arc[1:3] for arc in found[key]], [arc[1:3] for arc in arcs], atol=0.05)


def test_what_wants_a_network_of_kaldis(archive: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Says what the file is, and what to give instead."""
    onnx = Path(archive).read_bytes()[:1] == b"\x08"
    for main, name in ((nnet3_info, "an nnet3 network"), (nnet3_am_info, "a Kaldi .mdl")):
        assert run(main, [archive]) == 255
        way = "give the one that it was exported from" if onnx else "which nnet-pytorch-export --format=nnet3 makes"
        kind = "an ONNX file" if onnx else "an archive of torch's"
        assert f"{archive} is {kind}: this needs {name}" in (error := capfd.readouterr().err) and way in error
    if onnx:
        assert run(export, ["--format=nnet3", archive, str(tmp_path / "out")]) == 255
        assert "ONNX files and compiled libraries keep none" in capfd.readouterr().err


def test_transition_models(archive: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What needs no network reads it without torch."""
    for model, name in ((MDL, "want"), (archive, "got")):
        assert run(copy_transition_model, [model, str(tmp_path / name)]) == 0
    assert (tmp_path / "got").read_bytes() == (tmp_path / "want").read_bytes()
    capfd.readouterr()
    assert run(show_transitions, [str(TINY / "model/phones.txt"), archive]) == 0
    assert "Transition-state 1: phone = " in capfd.readouterr().out
