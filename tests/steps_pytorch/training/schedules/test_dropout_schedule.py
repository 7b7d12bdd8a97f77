"""Dropout that changes in training: Kaldi's grammar, and who is reached by it."""

from pathlib import Path

import pytest
import torch

from kaldi_bridge.errors import KaldiError
from nnet3_compat.components.dropout import GeneralDropoutComponent
from steps_pytorch.models.base import Model
from steps_pytorch.models.registry import build_model
from steps_pytorch.registry import Dimensions
from steps_pytorch.training.schedules.dropout import DropoutSchedule
from tests.helpers.made_up_training import DIM, FACTOR, PDFS, make_batch

DIMENSIONS = Dimensions(DIM, PDFS, 0, FACTOR)
XCONFIG = f"""input dim={DIM} name=input
relu-layer name=first dim=12
tdnnf-layer name=tdnnf1 dim=12 bottleneck-dim=6 time-stride=3 dropout-proportion=0.0
tdnnf-layer name=tdnnf2 dim=12 bottleneck-dim=6 time-stride=3 dropout-proportion=0.0
output-layer name=output include-log-softmax=false dim={PDFS}
"""


@pytest.fixture
def model(tmp_path: Path) -> Model:
    (tmp_path / "network.xconfig").write_text(XCONFIG)
    return build_model("nnet3", [f"--network={tmp_path}/network.xconfig"], DIMENSIONS)


def proportions(model: Model) -> dict[str, float]:
    nnet = model.network.to_nnet()
    return {n: c.dropout_proportion for n, c in nnet.components.items() if isinstance(c, GeneralDropoutComponent)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0,0.3,0.0", {0.0: 0.0, 0.25: 0.15, 0.5: 0.3, 1.0: 0.0}),
        ("0.0,0.5@0.25,0.0,0.6@0.75,0.0", {0.1: 0.2, 0.25: 0.5, 0.5: 0.0, 0.75: 0.6}),
        ("0,0@0.20,0.3@0.50,0", {0.1: 0.0, 0.2: 0.0, 0.35: 0.15, 0.5: 0.3, 0.75: 0.15}),
        ("0.1,0.2", {0.0: 0.1, 0.5: 0.15, 1.0: 0.2}),
    ],
)
def test_values_are_those_of_train_py(model, text, expected):
    """What _get_dropout_proportions of steps/libs/nnet3/train/dropout_schedule.py gives for these."""
    schedule = DropoutSchedule(text, model)
    for done, proportion in expected.items():
        schedule.apply(done)
        assert proportions(model) == pytest.approx({"tdnnf1.dropout": proportion, "tdnnf2.dropout": proportion})


def test_later_patterns_count(model):
    DropoutSchedule("*=0.0,0.5,0.0 tdnnf2.*=0.0,0.3@0.75,0.0", model).apply(0.75)
    assert proportions(model) == pytest.approx({"tdnnf1.dropout": 0.25, "tdnnf2.dropout": 0.3})


@pytest.mark.parametrize("text", ["0.3", "0,x,0", "0,0.3@0.5@1,0", "0,0.3@0.7,0.2@0.6,0", "0,1.5,0", "0,nan,0", "0,"])
def test_what_is_no_schedule(model, text):
    with pytest.raises(KaldiError, match="expected proportions such as"):
        DropoutSchedule(text, model)


def test_what_is_not_there(model):
    with pytest.raises(KaldiError, match=r"no part .* for lstm\*=0,0: tdnnf1.dropout, tdnnf2.dropout"):
        DropoutSchedule("lstm*=0,0", model)
    resnet = build_model("resnet", [], DIMENSIONS)
    with pytest.raises(KaldiError, match="none at all"):
        DropoutSchedule("0,0", resnet)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("tdnn", ["--hidden-dim=8", "--time-strides=0 1", "--prefinal-dim=0"]),
        ("blstm", ["--hidden-dim=8", "--num-layers=2", "--prefinal-dim=0", "--left-context=3", "--right-context=3"]),
        ("wide-resnet", ["--depth=10", "--width=1", "--prefinal-dim=0"]),
    ],
)
def test_models_of_pytorch(name, options):
    """Without dropout two passes in training mode are equal; with it they are not."""
    factor = 4 if name == "wide-resnet" else FACTOR
    model = build_model(name, options, Dimensions(DIM, PDFS, 0, factor)).train()
    features = make_batch(model, 0).features
    schedule = DropoutSchedule("0,0.5", model)
    for done in (0.0, 1.0):
        schedule.apply(done)
        first, second = (model(features).output for _ in range(2))
        assert torch.equal(first, second) == (done == 0.0)
