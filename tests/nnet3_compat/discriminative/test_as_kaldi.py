"""The programs of discriminative training against Kaldi's (outputs.json and kaldis/; make_outputs.py tells of them)."""

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kaldi_bridge.command import run
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_examples import DISCRIMINATIVE_EXAMPLE
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR
from nnet3_compat.discriminative.objective import Discriminative
from nnet3_compat.discriminative.options import DiscriminativeOptions
from nnet3_compat.model.model_file import read_model, read_nnet
from tests.helpers.twins import twin
from tests.nnet3_compat.discriminative.make_outputs import COMMANDS, GET, KALDIS, OBJF, OUTPUTS, TABLES, outcome

EXPECTED: dict[str, dict[str, Any]] = json.loads(OUTPUTS.read_text())
TOLERANCE = 1e-4  # of numbers in messages; of a parameter array's change, in its norm
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
STEPS = {
    "smbr": ["--silence-phones=1"],
    "mmi": [
        *("--criterion=mmi", "--boost=0.1", "--xent-regularize=0.2", "--l2-regularize=0.001"),
        *("--momentum=0.5", "--max-param-change=0.1"),
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs, and what commands before the ones of a test write."""
    made = tmp_path_factory.mktemp("degs")
    shutil.copytree(KALDIS, made, dirs_exist_ok=True)
    return made


def call(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.chdir(folder)
    name, *words = command.split()
    return run(twin(f"nnet3-discriminative-{name}"), words)


def needed(command: str) -> list[str]:
    """Commands that write what this one reads."""
    tables = re.findall(r"ark:(\S+\.(?:degs|txt))", command.rpartition(" ")[0])
    makers = [c for c in COMMANDS for table in tables if c.endswith(f":{table}")]
    return [before for maker in makers for before in (*needed(maker), maker)]


@pytest.mark.parametrize("command", COMMANDS)
def test_programs(
    command: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Tables to the byte; numbers in messages to 1e-4."""
    assert list(EXPECTED) == COMMANDS
    for before in needed(command):
        if not (folder / before.split()[-1].partition(":")[2]).exists():
            assert call(before, folder, monkeypatch) == 0
    capfd.readouterr()
    assert call(command, folder, monkeypatch) == 0
    made = outcome(command, capfd.readouterr().err, folder)
    if not command.startswith(OBJF):
        assert made == EXPECTED[command]
        return
    ours, kaldis = made["messages"], EXPECTED[command]["messages"]
    assert [NUMBER.sub("N", line) for line in ours] == [NUMBER.sub("N", line) for line in kaldis]
    for mine, theirs in zip(ours, kaldis, strict=True):
        numbers = [np.array(NUMBER.findall(line), float) for line in (mine, theirs)]
        np.testing.assert_allclose(*numbers, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", STEPS)
def test_training(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minibatches: the parameters end where Kaldi's do."""
    two = next(command for command in COMMANDS if command.endswith("ark:two.degs"))
    for before in (*needed(two), two):
        assert call(before, folder, monkeypatch) == 0
    words = ["--use-gpu=no", *STEPS[name], "start.mdl", "ark:two.degs", "made.raw"]
    assert run(twin("nnet3-discriminative-train"), words) == 0
    start, kaldis, ours = read_model("start.mdl").nnet, read_nnet(f"{name}.raw"), read_nnet("made.raw")
    checked = 0
    for component, old in start.components.items():
        for parameter in getattr(old, "PARAMS", ()):
            before, theirs, mine = (
                getattr(nnet.components[component], parameter).astype(float) for nnet in (start, kaldis, ours)
            )
            change = np.linalg.norm(theirs - before)
            assert np.linalg.norm(mine - theirs) <= TOLERANCE * change, (component, parameter)
            checked += change > 0.0
    assert checked == {"smbr": 4, "mmi": 6}[name]


@pytest.mark.parametrize("criterion", ["mmi", "mpfe", "smbr"])
def test_derivatives_are_those_of_the_objective(criterion: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By differences, along the derivative: it is by scaled log-likelihoods, so the acoustic scale is no part of it."""
    merge = next(command for command in COMMANDS if command.endswith("ark:merged.degs"))
    for before in (*needed(merge), merge):
        assert call(before, folder, monkeypatch) == 0
    options = DiscriminativeOptions(criterion=criterion, acoustic_scale=0.5, silence_phones="1")
    objective = Discriminative(read_model("start.mdl").transition_model, options)
    with SequentialReader("ark:merged.degs", DISCRIMINATIVE_EXAMPLE) as examples:
        supervision = next(iter(examples))[1].outputs[0].supervision
    output = torch.randn(supervision.num_frames, 6, generator=torch.Generator().manual_seed(1))
    direction = objective.evaluate(supervision, output).derivative
    step = 0.02 * direction
    up, down = (objective.evaluate(supervision, output + sign * step).objective for sign in (1, -1))
    assert (up - down) / 2 == pytest.approx(0.5 * float((direction * step).sum()), rel=1e-2)


def test_minibatches_of_no_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An output that is no number: -10 per frame, no derivative; positive ones of a model with priors are an error."""
    merge = next(command for command in COMMANDS if command.endswith("ark:merged.degs"))
    for before in (*needed(merge), merge):
        assert call(before, folder, monkeypatch) == 0
    model = read_model("start.mdl")
    with SequentialReader("ark:merged.degs", DISCRIMINATIVE_EXAMPLE) as examples:
        supervision = next(iter(examples))[1].outputs[0].supervision
    output = torch.full((supervision.num_frames, 6), -1.0)
    output[3] = float("nan")
    made = Discriminative(model.transition_model, DiscriminativeOptions(), model.priors).evaluate(supervision, output)
    assert not made.ok
    assert made.objective == -10.0 * supervision.num_frames
    assert not made.derivative.any()
    with pytest.raises(KaldiError, match="must be log-probabilities"):
        Discriminative(model.transition_model, DiscriminativeOptions(), model.priors).evaluate(supervision, -output)
    with pytest.raises(KaldiError, match="supervision and model ask for"):
        Discriminative(model.transition_model, DiscriminativeOptions()).evaluate(supervision, output[:, :5])


def test_bad_input(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Examples that end too early or are of another kind, options that make no sense, a raw network."""
    assert call(COMMANDS[0], folder, monkeypatch) == 0
    data = Path("plain.degs").read_bytes()
    Path("cut.degs").write_bytes(data[: len(data) // 2])
    for command, said in (
        ("copy-egs ark:cut.degs ark:OUT", "cut.degs"),
        ("merge-egs ark:cut.degs ark:OUT", "cut.degs"),
        ("copy-egs ark:feats.ark ark:OUT", "<Nnet3DiscriminativeEg>"),
        ("compute-objf --criterion=mpe start.mdl ark:plain.degs", "must be one of mmi, mpfe, smbr"),
        ("compute-objf --silence-phones=a start.mdl ark:plain.degs", "silence-phones"),
        ("compute-objf --accumulate-output=true --num-pdfs=7 start.mdl ark:plain.degs", "--num-pdfs=7"),
        ("compute-objf smbr.raw ark:plain.degs", "transition model"),
        ("train --use-gpu=no smbr.raw ark:plain.degs OUT", "transition model"),
        (f"{GET} --acoustic-scale=0 {TABLES} ark:OUT", "--acoustic-scale must not be 0"),
    ):
        assert call(command, folder, monkeypatch) == 255, command
        assert said in capfd.readouterr().err, command
    assert call("merge-egs ark:/dev/null ark:OUT", folder, monkeypatch) == 1


def test_utterances_that_are_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """An alignment that is too short, transition-ids of another model, no lattice: warned of, the others are made."""
    monkeypatch.chdir(folder)
    with SequentialReader("ark:ali.ark", INT32_VECTOR) as reader:
        alignments = dict(reader)
    alignments["a-1"], alignments["b-1"] = alignments["a-1"][:-1], np.full_like(alignments["b-1"], 99)
    with TableWriter("ark:other.ark", INT32_VECTOR) as writer:
        for key in ("a-1", "a-2", "b-1"):
            writer.write(key, alignments[key])
    assert call(f"{GET} {TABLES.replace('ali.ark', 'other.ark')} ark:some.degs", folder, monkeypatch) == 0
    said = capfd.readouterr().err
    for message in (
        "utterance a-1: the lattice has 40 frames, the alignment 39",
        "99 is no transition-id",
        "key b-2",
        "3 utterances had errors",
    ):
        assert message in said
    with SequentialReader("ark:some.degs", DISCRIMINATIVE_EXAMPLE) as examples:
        assert {key for key, _ in examples} == {"a-2-0", "a-2-10"}


def test_lattices_are_determinized_as_kaldis(tmp_path: Path) -> None:
    """lattice-determinize-non-compact of the same lattices: Kaldi's text, to the byte."""
    options = ["--acoustic-scale=0.5", "--max-mem=100000", "--beam=3", "--minimize=true"]
    tables = [f"ark:{KALDIS}/lat.ark", f"ark,t:{tmp_path}/made"]
    assert run(twin("lattice-determinize-non-compact"), [*options, *tables]) == 0
    made = hashlib.sha256((tmp_path / "made").read_bytes()).hexdigest()
    assert made == "96f6876be3d4c66356d1bf6d73d41d973ed84217657fbf7aa18b7340518653c9"
