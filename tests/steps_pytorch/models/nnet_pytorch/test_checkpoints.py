"""Checkpoints of m-wiesner/nnet_pytorch decode here with the outputs that they have there, and go back unchanged.

kept/: networks with made parameters that nnet_pytorch itself built and saved (its branches master, and for
chain_tdnn_norm, chain_wrn_strides and chain_blstm_later conda_install), and what its dataset and decode_dataset made of
features.npz: ``out_<utterance>``; of the Chain forms also both outputs of two chunks in training mode.
"""

from __future__ import annotations

import json
import lzma
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kaldi_bridge.command import run
from kaldi_bridge.commands.data.second_moment_cmvn import main as second_moment_cmvn
from kaldi_bridge.commands.featbin.apply_cmvn import main as apply_cmvn
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX
from nnet3_compat.commands.nnet3bin.nnet3_compute import main as compute
from nnet3_compat.commands.nnet3bin.nnet3_compute_batch import main as compute_batch
from nnet3_compat.model.model_file import Archive, read_any
from steps_pytorch.commands.export_checkpoint import main as export_checkpoint
from steps_pytorch.commands.import_checkpoint import main as import_checkpoint
from steps_pytorch.commands.train_model import main as train_model
from steps_pytorch.models.encoder import EncoderModel
from steps_pytorch.models.nnet_pytorch.checkpoint import read_checkpoint, write_checkpoint
from steps_pytorch.models.nnet_pytorch.configuration import Configuration
from steps_pytorch.models.registry import build_model
from steps_pytorch.registry import Dimensions
from tests.helpers.made_up_data import DIM, NUM_PDFS
from tests.helpers.made_up_speech import make_speech
from tests.helpers.places import ROOT

KEPT = Path(__file__).parent / "kept"
CASES = sorted(path.name for path in KEPT.iterdir() if path.is_dir())
CHAINS = [name for name in CASES if "train_xent" in np.load(KEPT / name / "outputs.npz")]
UTTERANCES = ("a-1", "a-2", "b-1", "b-2")
PDFS, FEATURE_DIM = 6, 8


def directory(case: str, folder: Path) -> Path:
    """A model directory of nnet_pytorch."""
    there = folder / "there"
    there.mkdir()
    for path in (KEPT / case).iterdir():
        shutil.copy(path, there)
    (there / "final.mdl").write_bytes(lzma.decompress((there / "final.mdl.xz").read_bytes()))
    return there


def changed(there: Path, **values: Any) -> None:
    """Other values in conf.1.json; None removes one."""
    path = there / "conf.1.json"
    content = json.loads(path.read_text()) | values
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))


def features(here: Path, folder: Path) -> str:
    """The kept ones as decode.sh normalizes them by cmvn_opts; the mean squares in the place of variances."""
    kept = np.load(KEPT / "features.npz")
    with TableWriter(f"ark:{folder}/feats.ark", FLOAT_MATRIX) as writer:
        for utterance in UTTERANCES:
            writer.write(utterance, kept[f"feats_{utterance}"])
    with TableWriter(f"ark:{folder}/cmvn.ark", DOUBLE_MATRIX) as writer:
        for speaker in "ab":
            writer.write(speaker, kept[f"cmvn_{speaker}"])
    (folder / "utt2spk").write_text("".join(f"{utterance} {utterance[0]}\n" for utterance in UTTERANCES))
    stats = f"ark:{folder}/cmvn.ark"
    cmvn_opts = (here / "cmvn_opts").read_text().split()
    if "--norm-vars=true" in cmvn_opts:
        assert run(second_moment_cmvn, [stats, f"ark:{folder}/second.ark"]) == 0
        stats = f"ark:{folder}/second.ark"
    words = [*cmvn_opts, f"--utt2spk=ark:{folder}/utt2spk", stats, f"ark:{folder}/feats.ark", f"ark:{folder}/norm.ark"]
    assert run(apply_cmvn, words) == 0
    return f"ark:{folder}/norm.ark"


def outputs(program: Callable[[], None], here: Path, folder: Path, *options: str) -> dict[str, np.ndarray]:
    factor = (here / "frame_subsampling_factor").read_text().strip()
    words = [f"--frame-subsampling-factor={factor}", *options, f"{here}/final.mdl", features(here, folder)]
    assert run(program, [*words, f"ark:{folder}/out.ark"]) == 0
    return dict(SequentialReader(f"ark:{folder}/out.ark", FLOAT_MATRIX))


@pytest.mark.parametrize("case", CASES)
def test_outputs_are_those_of_its_decoding(case: str, tmp_path: Path) -> None:
    """All of an utterance, whatever --frames-per-chunk is; it leaves out the last output of a part of a factor."""
    there, here, back = directory(case, tmp_path), tmp_path / "here", tmp_path / "back"
    assert run(import_checkpoint, [f"{there}/final.mdl", str(here)]) == 0
    kept = np.load(KEPT / case / "outputs.npz")
    made = outputs(compute, here, tmp_path)
    assert list(made) == list(UTTERANCES)
    for utterance in UTTERANCES:
        want = kept[f"out_{utterance}"]
        assert 0 <= len(made[utterance]) - len(want) <= 1
        np.testing.assert_allclose(made[utterance][: len(want)], want, rtol=1e-5, atol=1e-6 * np.abs(want).max())

    assert run(export_checkpoint, [f"{here}/final.mdl", f"{back}/final.mdl"]) == 0
    before, after = read_checkpoint(there / "final.mdl"), read_checkpoint(back / "final.mdl")
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) and before[name].dtype == after[name].dtype for name in before)
    assert json.loads((back / "conf.1.json").read_text()) == json.loads((there / "conf.1.json").read_text())


@pytest.mark.parametrize("case", CHAINS)
def test_both_outputs_in_training(case: str, tmp_path: Path) -> None:
    there = directory(case, tmp_path)
    values = json.loads((there / "conf.1.json").read_text())
    dimensions = Dimensions(FEATURE_DIM, PDFS, frame_subsampling_factor=values["subsample"], xent=True)
    model = build_model("nnet-pytorch", [f"--checkpoint={there}/final.mdl"], dimensions).train()
    kept = np.load(KEPT / case / "outputs.npz")
    made = model(torch.from_numpy(kept["batch"]))
    assert made.xent is not None
    np.testing.assert_allclose(made.output.detach(), kept["train_output"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(made.xent.detach(), kept["train_xent"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", ["chain_resnet", "chain_wrn"])
def test_without_a_second_branch(case: str, tmp_path: Path) -> None:
    """Resnet and WideResnet are their Chain forms without it."""
    there = directory(case, tmp_path)
    name = json.loads((there / "conf.1.json").read_text())["model"].removeprefix("Chain")
    changed(there, model=name)
    assert run(import_checkpoint, [f"{there}/final.mdl", f"{tmp_path}/no"]) != 0
    state = {name: value for name, value in read_checkpoint(there / "final.mdl").items() if "xent" not in name}
    write_checkpoint(there / "final.mdl", state)
    assert run(import_checkpoint, [f"{there}/final.mdl", f"{tmp_path}/here"]) == 0
    made = outputs(compute, tmp_path / "here", tmp_path)
    want = np.load(KEPT / case / "outputs.npz")["out_a-1"]
    np.testing.assert_allclose(made["a-1"][: len(want)], want, rtol=1e-5, atol=1e-5)


def test_priors_of_cross_entropy(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    there = directory("tdnn", tmp_path)
    assert run(import_checkpoint, [f"{there}/final.mdl", f"{tmp_path}/here"]) == 0
    assert "give decode.sh data whose cmvn.scp nnet-pytorch-second-moment-cmvn made" in capfd.readouterr().err
    plain = outputs(compute, tmp_path / "here", tmp_path)
    divided = outputs(compute, tmp_path / "here", tmp_path, "--use-priors=true")
    priors = json.loads((there / "priors").read_text())
    np.testing.assert_allclose(plain["a-1"] - divided["a-1"], np.tile(priors, (33, 1)), atol=1e-5)
    (there / "priors").write_text("[0.0, 1.0]")
    assert run(import_checkpoint, [f"{there}/final.mdl", f"{tmp_path}/other"]) != 0
    assert "must be a list of 6 logarithms of priors" in capfd.readouterr().err
    (there / "priors").unlink()
    assert run(import_checkpoint, [f"{there}/final.mdl", f"{tmp_path}/other"]) == 0
    assert "the model has no priors" in capfd.readouterr().err


def test_in_batches_of_chunks(tmp_path: Path) -> None:
    """nnet-pytorch-compute-batch moves the last chunk back: all outputs but those of it are the same."""
    there = directory("chain_tdnn", tmp_path)
    assert run(import_checkpoint, [f"{there}/final.mdl", f"{tmp_path}/here"]) == 0
    one = outputs(compute, tmp_path / "here", tmp_path)["b-2"]
    many = outputs(compute_batch, tmp_path / "here", tmp_path)["b-2"]
    assert one.shape == many.shape
    np.testing.assert_allclose(one[:50], many[:50], atol=1e-5)


def made(model: str, num_pdfs: int, dim: int, folder: Path) -> Path:
    """A model directory of a small network with random parameters, for other dimensions than the kept ones."""
    there = directory(model, folder)
    changed(there, num_targets=num_pdfs, idim=dim)
    state = read_checkpoint(there / "final.mdl")
    torch.manual_seed(0)
    for name, value in state.items():
        shape = [num_pdfs if size == PDFS else dim if size == FEATURE_DIM else size for size in value.shape]
        state[name] = torch.randn(shape) if shape != list(value.shape) else value
    write_checkpoint(there / "final.mdl", state)
    return there


@pytest.mark.slow
def test_trained_on_from_and_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A run of training starts from a checkpoint; what it ends with goes back, and its outputs are the same there."""
    speech = make_speech(tmp_path / "speech")
    there = made("chain_tdnn", NUM_PDFS, DIM, tmp_path)
    words = ["--model=nnet-pytorch", f"--model-opts=--checkpoint={there}/final.mdl", f"--tree-dir={speech}/ali"]
    words += [f"--objective-opts=--den-fst={speech}/den.fst", "--chunk-width=30", "--minibatch-size=8"]
    words += ["--optimizer=adam", "--num-epochs=1", "--num-workers=0", "--num-threads=1"]
    assert run(train_model, [*words, f"{speech}/data", str(speech), f"{tmp_path}/exp"]) == 0
    archive = read_any(f"{tmp_path}/exp/final.mdl")
    assert isinstance(archive, Archive) and archive.transition_model is not None
    assert run(export_checkpoint, [f"{tmp_path}/exp/final.mdl", f"{tmp_path}/back/9.mdl"]) == 0
    before, after = read_checkpoint(there / "final.mdl"), read_checkpoint(tmp_path / "back/9.mdl")
    assert before.keys() == after.keys()
    assert not torch.equal(before["xent_layer.weight"], after["xent_layer.weight"])
    assert torch.equal(before["batchnorm.0.running_mean"], after["batchnorm.0.running_mean"])
    assert run(import_checkpoint, [f"--tree-dir={speech}/ali", f"{tmp_path}/back/9.mdl", f"{tmp_path}/again"]) == 0
    again = read_any(f"{tmp_path}/again/final.mdl")
    assert isinstance(again, Archive) and again.transition_model is not None
    changed(there, tdnn_hdim=11)
    assert run(export_checkpoint, [f"{tmp_path}/again/final.mdl", f"{there}/10.mdl"]) != 0
    assert "is the configuration of another network" in capfd.readouterr().err and not (there / "10.mdl").exists()


@pytest.mark.slow
def test_decode_step(reference: Path, tmp_path: Path) -> None:
    """decode.sh takes an imported model with Kaldi's tree, graph and features as it takes any."""
    fsdd = reference / "fsdd"
    num_pdfs = read_transition_model(str(fsdd / "chain_tree/final.mdl")).num_pdfs
    there = made("chain_tdnn", num_pdfs, 40, tmp_path)
    tree_dir = f"--tree-dir={fsdd}/chain_tree"
    assert run(import_checkpoint, [tree_dir, f"{there}/final.mdl", f"{tmp_path}/here"]) == 0
    data = tmp_path / "data/test_hires"  # its feats.scp has this name
    data.mkdir(parents=True)
    for path in (fsdd / "data/test_hires").iterdir():
        (data / path.name).symlink_to(path)
    options = ["--nj", "1", "--acwt", "1.0", "--max-active", "200", "--skip-scoring", "true"]
    step = [str(ROOT / "steps_pytorch/decode.sh"), *options, str(fsdd / "graph"), str(data), f"{tmp_path}/here/decode"]
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    result = subprocess.run(step, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    log = (tmp_path / "here/decode/log/decode.1.log").read_text()
    assert "Increasing --frames-per-chunk from 50 to 60" in log and "failed for 0" in log


def test_other_models_cannot_go_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = build_model("tdnn", ["--hidden-dim=4", "--time-strides=1"], Dimensions(FEATURE_DIM, PDFS))
    assert isinstance(model, EncoderModel)
    model.to_archive().save(f"{tmp_path}/final.mdl")
    assert run(export_checkpoint, [f"{tmp_path}/final.mdl", f"{tmp_path}/back/final.mdl"]) == 255
    assert "only those that came from there can go back" in capfd.readouterr().err
    assert not (tmp_path / "back").exists()


class Code:
    """What a pickle could do."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("executed",)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(pickle.dumps({"model": Code()})), "broken, or no file of tensors"),
        (lambda path: torch.save({"model": Code()}, path), "broken, or no file of tensors"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "broken, or no file of tensors"),
        (lambda path: path.write_bytes(b""), "broken, or no file of tensors"),
        (lambda path: path.unlink(), "cannot read .*No such file"),
        (lambda path: torch.save({"state": {}}, path), "no checkpoint of nnet_pytorch.*it has 'state'"),
        (lambda path: torch.save([1], path), "no checkpoint of nnet_pytorch.*it has list"),
        (
            lambda path: torch.save({"model": {"tdnn.0.weight": 1.0}}, path),
            "'tdnn.0.weight' in .* is no param",
        ),
        (lambda path: torch.save({"model": {"a": torch.ones(1)}}, path), "no parameter tdnn.0.weight of 2 axes"),
    ],
)
def test_bad_checkpoints(
    spoil: Callable[[Path], Any], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = directory("chain_tdnn", tmp_path)
    monkeypatch.chdir(tmp_path)
    spoil(there / "final.mdl")
    configuration = Configuration.read(there / "conf.1.json")
    with pytest.raises(KaldiError, match=reason):
        build_model("nnet-pytorch", [f"--checkpoint={there}/final.mdl"], Dimensions(FEATURE_DIM, PDFS, 0, 3))
    assert configuration.chain and not (tmp_path / "executed").exists()
    assert run(import_checkpoint, [f"{there}/final.mdl", f"{tmp_path}/here"]) != 0
    assert not (tmp_path / "here").exists()


def test_what_is_no_checkpoint(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Is told before what is missing beside it."""
    model = build_model("tdnn", ["--hidden-dim=4", "--time-strides=1"], Dimensions(FEATURE_DIM, PDFS))
    assert isinstance(model, EncoderModel)
    model.to_archive().save(f"{tmp_path}/archive")
    (tmp_path / "onnx").write_bytes(b"\x08\x0a")
    torch.save({"model": {"a": torch.ones(1)}}, tmp_path / "alone")
    for name, reason in (
        ("archive", "is an archive of TorchScript or torch.export, and no file of tensors"),
        ("onnx", "is an ONNX file, and no file of tensors"),
        ("alone", "give the configuration of the training, its conf.<n>.json, as --conf"),
    ):
        assert run(import_checkpoint, [f"{tmp_path}/{name}", f"{tmp_path}/here"]) == 255
        assert reason in capfd.readouterr().err
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        (torch.full((10, 8, 1), torch.nan), "tdnn.0.weight has numbers that are infinite or none"),
        (torch.ones(10, 8, 1, dtype=torch.int64), "tdnn.0.weight is of torch.int64, and would be of torch.float32"),
        (torch.ones(1, 1, 1).expand(10, 8, 1), "tdnn.0.weight does not lie in the file"),
        (torch.ones(10, 8, 1).to_sparse(), "tdnn.0.weight does not lie in the file"),
    ],
)
def test_bad_parameters(parameter: torch.Tensor, reason: str, tmp_path: Path) -> None:
    there = directory("chain_tdnn", tmp_path)
    state = read_checkpoint(there / "final.mdl")
    torch.save({"model": state | {"tdnn.0.weight": parameter}}, there / "final.mdl")
    with pytest.raises(KaldiError, match=reason):
        build_model("nnet-pytorch", [f"--checkpoint={there}/final.mdl"], Dimensions(FEATURE_DIM, PDFS, 0, 3))


@pytest.mark.parametrize(
    ("case", "values", "reason"),
    [
        ("tdnn", {"model": "Wav2Vec2"}, "its model is 'Wav2Vec2'; known are TDNN"),
        ("tdnn", {"model": "ChainTDNN"}, "lacks .*ChainTDNN.*: prefinal_xent.bias"),
        ("chain_tdnn", {"model": "TDNN"}, "has more than a TDNN.*: prefinal_xent.bias"),
        ("tdnn", {"tdnn_hdim": 11}, r"tdnn.0.weight is of shape \[10, 8, 1\], and would be of \[11, 8, 1\]"),
        ("tdnn", {"tdnn_hdim": 10**12}, "tdnn_hdim must be a whole number from 1 to 1048576, and is '1000000000000'"),
        ("tdnn", {"tdnn_num_layers": 25}, "at most 24 layers"),
        ("blstm", {"blstm_num_layers": 10**6}, "blstm_num_layers must be a whole number from 1 to 1000"),
        ("tdnn", {"tdnn_dropout": "a lot"}, "tdnn_dropout must be a number from 0 to 1"),
        ("tdnn", {"datasets": "__import__('os').mkdir('executed')"}, "datasets is no list"),
        ("tdnn", {"datasets": "[{'chunk_width': 140}]"}, "left_context must be a whole number from 0 .*is 'None'"),
        ("tdnn", {"datasets": None}, "datasets is no list"),
        ("chain_resnet", {"resnet_layers": "[[6, 2, 2]] * 4"}, "resnet_layers is no list"),
        ("chain_resnet", {"resnet_layers": "[[6, 2, 1]]"}, "must be four lists"),
        ("chain_resnet", {"subsample": 4}, "makes an output of every 3 frames"),
        ("chain_wrn", {"depth": 11}, "6 n"),
        ("chain_wrn", {"subsample": 3}, "every 4 frames"),
        ("chain_wrn", {"strides": "[1, 2]"}, "must be four numbers"),
        ("chain_wrn", {"idim": None}, "does not say the dimension of features"),
        ("blstm", {"blstm_num_layers": 3}, "odd number of layers"),
    ],
)
def test_bad_configurations(
    case: str, values: dict[str, Any], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    there = directory(case, tmp_path)
    changed(there, **values)
    capfd.readouterr()
    assert run(import_checkpoint, [f"{there}/final.mdl", f"{tmp_path}/here"]) == 255
    message = capfd.readouterr().err
    assert re.search(reason, message), message
    assert not (tmp_path / "here").exists()
