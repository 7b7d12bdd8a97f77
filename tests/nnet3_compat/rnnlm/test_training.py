"""Recurrent language models trained for five minibatches, beside what Kaldi's rnnlm-train did (make_steps.py)."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.io.matrix_files import read_matrix_file
from tests.helpers.twins import twin
from tests.nnet3_compat.rnnlm.make_steps import CALLS, EXAMPLES, STEPS, arguments, averages, changes, write_inputs

KALDIS = json.loads(STEPS.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples are made by our program, whose bytes are Kaldi's (tests/kaldi_bridge/rnnlm)."""
    folder = tmp_path_factory.mktemp("rnnlm")
    write_inputs(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for call in EXAMPLES.values():
            program, *rest = call.split()
            assert run(twin(program), rest) == 0
    return folder


@pytest.mark.parametrize("call", CALLS)
def test_as_kaldi(call: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture) -> None:
    """What changed is Kaldi's to 2e-3 of the norm of the change; the objective to the digits of the log."""
    monkeypatch.chdir(folder)
    assert run(twin("rnnlm-train"), arguments(call)) == 0
    log = capfd.readouterr().err
    assert averages(log) == pytest.approx(KALDIS[call]["averages"], rel=1e-3, abs=1e-3)
    assert "Trained on 5 minibatches." in log
    found = changes(folder, call)
    assert found.keys() == KALDIS[call]["changes"].keys()
    for name, expected in KALDIS[call]["changes"].items():
        assert found[name] == pytest.approx(expected, abs=2e-3 * expected[0]), name
    (folder / "1.raw").unlink()
    (folder / "1.mat").unlink()


def test_embeddings_that_are_not_trained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    files = "--read-rnnlm=0.raw --write-rnnlm=2.raw --read-embedding=words.mat"
    assert run(twin("rnnlm-train"), ["--use-gpu=no", *files.split(), "ark:sampled.egs"]) == 0
    assert (folder / "2.raw").exists() and not (folder / "1.mat").exists()


def test_rates_of_nothing_change_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But as much as the embeddings' limit lets them."""
    monkeypatch.chdir(folder)
    call = "--embedding.max-param-change=1e-4 --embedding.learning-rate=1 ark:plain.egs"
    assert run(twin("rnnlm-train"), arguments(call)) == 0
    change = read_matrix_file("1.mat") - read_matrix_file("words.mat")
    assert np.linalg.norm(change) <= 5 * 1e-4 * 1.01
    (folder / "1.raw").unlink()
    (folder / "1.mat").unlink()


@pytest.mark.parametrize(("examples", "printed"), [("plain.egs", "-46.8404"), ("sampled.egs", "-47.5008")])
def test_probability(
    examples: str, printed: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    """As Kaldi's rnnlm-compute-prob 0.raw words.mat printed it."""
    monkeypatch.chdir(folder)
    assert run(twin("rnnlm-compute-prob"), ["0.raw", "words.mat", f"ark:{examples}"]) == 0
    out, log = capfd.readouterr()
    assert float(out) == pytest.approx(float(printed), rel=1e-5)
    last = re.findall("Overall objf is .*", log)[-1]
    assert "in 5 minibatches; exact = (" in last


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("rnnlm-train --read-rnnlm=0.raw ark:plain.egs", "options are required"),
        ("rnnlm-train --read-embedding=feats.mat ark:plain.egs", "Vocabulary size mismatch: expected 12, got 40"),
        ("rnnlm-train --read-embedding=wide.mat ark:plain.egs", "embeddings of dimension 9 do not fit a network"),
        ("rnnlm-train --read-sparse-word-features=bad_feats.txt ark:plain.egs", "increasing order"),
        ("rnnlm-train ark:none", "There was no data to train on."),
        ("rnnlm-train ark:cut.egs", "minibatch-4"),
        ("rnnlm-train --den-term-limit=-0.2 ark:plain.egs", "--den-term-limit=-0.2 must be 0, or less than -0.5"),
        ("rnnlm-train --rnnlm.momentum=1 ark:plain.egs", "--rnnlm.momentum=1.0 is out of range"),
        ("rnnlm-train --embedding.learning-rate=0 ark:plain.egs", "--embedding.learning-rate=0.0 is out of range"),
        (
            "rnnlm-train --rnnlm.momentum=.5 --rnnlm.backstitch-training-scale=1 ark:plain.egs",
            "cannot be combined with --rnnlm.momentum",
        ),
        ("rnnlm-compute-prob 0.raw feats.mat ark:plain.egs", "Vocabulary size mismatch: expected 12, got 40"),
        ("rnnlm-compute-prob 0.raw words.mat ark:none", "Processed no data."),
        ("rnnlm-sentence-probs 0.raw words.mat ok.txt", "You must set --bos-symbol and --eos-symbol options"),
        ("rnnlm-sentence-probs --bos-symbol=1 --eos-symbol=40 0.raw words.mat ok.txt", "--eos-symbol=40"),
        ("rnnlm-sentence-probs --bos-symbol=1 --eos-symbol=2 0.raw words.mat bad.txt", "b: '40' is none of the"),
        ("rnnlm-sentence-probs --bos-symbol=1 --eos-symbol=2 0.raw words.mat words.txt", "'x' is none of the"),
        ("rnnlm-sentence-probs --bos-symbol=1 --eos-symbol=2 0.raw words.mat missing", "cannot read missing"),
    ],
)
def test_bad_input(
    arguments: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(folder)
    (folder / "none").write_bytes(b"")
    (folder / "cut.egs").write_bytes((folder / "plain.egs").read_bytes()[:-20])
    (folder / "wide.mat").write_text(" [ 1 2 3 4 5 6 7 8 9 ]\n")
    (folder / "bad_feats.txt").write_text("0\n1 3 1 2 1\n")
    (folder / "ok.txt").write_text("a 5 6\n")
    (folder / "bad.txt").write_text("a 5 6\n\nb 7 40\n")
    (folder / "words.txt").write_text("a 5 x\n")
    program, *rest = arguments.split()
    if program == "rnnlm-train" and "required" not in message:
        given = ["--read-rnnlm=0.raw", "--write-rnnlm=3.raw", "--read-embedding=words.mat", "--write-embedding=3.mat"]
        rest = ["--use-gpu=no", *given, *rest]
    assert run(twin(program), rest) == (1 if "required" in message else 255)
    assert message in capfd.readouterr().err
    assert not (folder / "3.raw").exists() and not (folder / "3.mat").exists()
