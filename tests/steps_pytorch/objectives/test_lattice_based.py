"""MMI, MPFE and sMBR in training on the fly, on made-up lattices (tests/helpers/made_up_lattices.py)."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.command import run
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_merging import merge_discriminative_supervisions
from kaldi_bridge.examples.discriminative_splitting import SplittingOptions
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.discriminative.objective import Discriminative
from nnet3_compat.discriminative.options import DiscriminativeOptions
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.model.model_file import read_any, read_model
from steps_pytorch.commands.train_model import main as train_model
from steps_pytorch.data.batch import Batch
from steps_pytorch.data.lattice_targets import LatticeTargets
from steps_pytorch.models.base import ModelOutput
from steps_pytorch.objectives.registry import build_objective
from steps_pytorch.registry import Dimensions
from steps_pytorch.training.report.journal import read_journal
from tests.helpers import made_up_lattices

MODEL = Path(__file__).parents[2] / "nnet3_compat/discriminative/kaldis/start.mdl"  # with priors
DIMENSIONS = Dimensions(made_up_lattices.DIM, 6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """data/ and targets/, as make_denlats.sh makes the latter."""
    made = tmp_path_factory.mktemp("lattices")
    data, targets = made / "data", made / "targets"
    made_up_lattices.write(made)
    data.mkdir()
    targets.mkdir()
    keys = list(made_up_lattices.FRAMES)
    (data / "utt2spk").write_text("".join(f"{key} {key[0]}\n" for key in keys))
    (data / "spk2utt").write_text("a a-1 a-2\nb b-1 b-2\n")
    shutil.copy(MODEL, targets / "final.mdl")
    (targets / "ali.1.gz").write_bytes(gzip.compress((made / "ali.ark").read_bytes()))
    for name, holder, table in (
        ("feats", FLOAT_MATRIX, f"{data}/feats.ark,{data}/feats.scp"),
        ("lat", LATTICE, f"{targets}/lat.ark,{targets}/lat.scp"),
    ):
        with (
            SequentialReader(f"ark:{made}/{name}.ark", holder) as reader,
            TableWriter(f"ark,scp:{table}", holder) as out,
        ):
            for key, value in reader:
                out.write(key, value)
    return made


def arguments(folder: Path, *options: str) -> list[str]:
    fixed = ["--model=tdnn", "--model-opts=--time-strides=1 --hidden-dim=16", "--optimizer=adam", "--num-workers=0"]
    fixed += ["--valid-utterances=1", "--chunk-width=20,15,10", "--minibatch-size=2", "--average-last=1"]
    return [*fixed, *options, str(folder / "data"), str(folder / "targets")]


@pytest.mark.parametrize(
    ("objective", "own"),
    [("smbr", "--silence-phones=1 --one-silence-class=true"), ("mpfe", "--l2-regularize=1e-4"), ("mmi", "--boost=0.1")],
)
def test_training(folder: Path, tmp_path: Path, objective: str, own: str) -> None:
    """The criterion rises on what is trained on; the model has priors, as the one that made the lattices."""
    words = arguments(
        folder, f"--objective={objective}", f"--objective-opts={own}", "--num-epochs=4", "--initial-learning-rate=0.02"
    )
    assert run(train_model, [*words, str(tmp_path / "made")]) == 0
    events = read_journal(tmp_path / "made")
    values = [event["train"][objective] for event in events if event["event"] == "iteration"]
    assert values[-1] > values[0]
    made = read_any(str(tmp_path / "made/final.mdl"))
    priors = TorchModel.from_archive(made, "final.mdl").priors
    assert priors is not None and priors.sum() == pytest.approx(1.0)


def test_the_loss_is_kaldis_objective(folder: Path) -> None:
    """Per frame, and its gradient the derivative; of log-posteriors, whatever the model's outputs add up to."""
    model = read_model(str(MODEL))
    targets = LatticeTargets.of_directory(str(folder / "targets"), model.transition_model, SplittingOptions())
    parts = [targets.part("a-1", 10, 15), targets.part("b-2", 30, 15)]
    merged = merge_discriminative_supervisions(parts)
    output = torch.randn(2, 15, 6, generator=torch.Generator().manual_seed(3), requires_grad=True)
    objective = build_objective("smbr", [f"--lattice-model={MODEL}"], DIMENSIONS)
    batch = Batch(torch.zeros(2, 15, made_up_lattices.DIM), 15, lattices=merged)
    loss = objective.of_output(ModelOutput(output + 7.0, None), batch)
    loss.loss.backward()
    criterion = Discriminative(model.transition_model, DiscriminativeOptions(), model.priors)
    values = [criterion.evaluate(p, output[n].log_softmax(-1)).objective for n, p in enumerate(parts)]
    assert float(loss.loss.detach()) == pytest.approx(-sum(values) / 30, rel=1e-5)
    assert loss.terms["smbr"].total == pytest.approx(sum(values), rel=1e-5)
    derivative = criterion.evaluate(parts[1], output[1].log_softmax(-1)).derivative
    expected = derivative - output[1].detach().softmax(-1) * derivative.sum(-1, keepdim=True)
    assert output.grad is not None
    np.testing.assert_allclose(-30 * output.grad[1], expected, atol=1e-5)


def test_what_is_wrong_is_told(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KaldiError, match="--lattice-model=<.mdl that made the lattices> is required"):
        build_objective("mmi", [], DIMENSIONS)
    with pytest.raises(KaldiError, match="has 6 pdfs, the model of the targets 7"):
        build_objective("mmi", [f"--lattice-model={MODEL}"], Dimensions(5, 7))
    objective = build_objective("mmi", [f"--lattice-model={MODEL}"], DIMENSIONS)
    with pytest.raises(KaldiError, match="has no lattices"):
        objective.of_output(ModelOutput(torch.zeros(1, 3, 6), None), Batch(torch.zeros(1, 3, 5), 3))
    shutil.copytree(folder / "targets", tmp_path / "targets")
    (tmp_path / "targets/lat.scp").unlink()
    words = [*arguments(folder, "--objective=smbr")[:-1], str(tmp_path / "targets"), str(tmp_path / "made")]
    assert run(train_model, words) == 255
    assert "lat.scp" in capfd.readouterr().err
