"""Learning rates of single layers, and layers that stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from kaldi_bridge.errors import KaldiError
from nnet3_compat.model.edits import edit
from nnet3_compat.model.model_file import read_nnet, write_model
from nnet3_compat.network.network import Network
from steps_pytorch.group import Group
from steps_pytorch.models.nnet3 import Nnet3Model, read_network
from steps_pytorch.objectives.registry import build_objective
from steps_pytorch.registry import Dimensions
from steps_pytorch.training.optimizers.base import OPTIMIZERS, Setting
from steps_pytorch.training.optimizers.layer_factors import factors_of
from tests.helpers.made_up_training import DIM, FACTOR, PDFS, Affine, make_batch, write_den_fst, write_xconfig

LAYERS = ["tdnn1.affine", "tdnn2.affine", "output.affine"]


def test_the_first_pattern_counts() -> None:
    found = factors_of("tdnn1.*=0 tdnn*=0.5 *=2", LAYERS)
    assert found == {"tdnn1.affine": 0.0, "tdnn2.affine": 0.5, "output.affine": 2.0}
    assert set(factors_of("", LAYERS).values()) == {1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tdnn1", "'tdnn1' is not of the form pattern=factor"),
        ("=1", "'=1' is not of the form"),
        ("tdnn1.*=-1", "is not of the form"),
        ("tdnn1.*=nan", "is not of the form"),
        ("tdnn1.*=inf", "is not of the form"),
        ("lstm*=1", r"no layer is called lstm\*; there are tdnn1.affine"),
        ("*=0", "nothing to train"),
    ],
)
def test_bad_factors(text: str, message: str) -> None:
    with pytest.raises(KaldiError, match=message):
        factors_of(text, LAYERS)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with random parameters; its output-xent has a learning-rate factor of 5, as Kaldi's have."""
    folder = tmp_path_factory.mktemp("start")
    torch.manual_seed(0)
    write_model(str(folder / "0.raw"), read_network(write_xconfig(folder)))
    write_den_fst(folder)
    return folder


def trained(start: Path, optimizer: str, factors: str, edits: str = "", updates: int = 1) -> tuple[Network, Network]:
    """Before and after."""
    nnet = read_nnet(str(start / "0.raw"))
    edit(nnet, [edits] if edits else [])
    model = Nnet3Model(nnet, FACTOR, xent=True)
    objective = build_objective("lfmmi", [f"--den-fst={start}/den.fst"], Dimensions(DIM, PDFS, 0, FACTOR, xent=True))
    setting = Setting(model, objective, Group(), factors=factors_of(factors, model.parameters_of_layers()))
    chosen = OPTIMIZERS.build(optimizer, [], setting)
    torch.manual_seed(0)
    for number in range(updates):
        batch = make_batch(model, number)
        chosen.before_minibatch()
        loss = objective(model, batch)
        chosen.backward(loss.loss * loss.weight)
        assert chosen.step(0.01, loss.weight, len(batch.features))
    return Network.from_nnet(nnet), model.network


def changes(before: Network, after: Network) -> dict[str, torch.Tensor]:
    old, new = dict(before.named_parameters()), dict(after.named_parameters())
    return {name: (new[name] - value).detach() for name, value in old.items()}


@pytest.mark.parametrize("optimizer", ["natural-gradient", "sgd", "adam"])
def test_frozen_layers_stay(start: Path, optimizer: str) -> None:
    """To the last bit, also those whose matrix is kept semi-orthogonal; all others change."""
    made = changes(*trained(start, optimizer, "tdnnf2.*=0", updates=6))
    frozen = {name for name in made if "tdnnf2_" in name}
    assert {name for name, change in made.items() if not change.any()} == frozen and len(frozen) > 2


def test_a_step_is_as_large_as_the_factors_say(start: Path) -> None:
    """Stochastic gradient descent is linear in them; a factor in the model's file counts too."""
    whole = changes(*trained(start, "sgd", ""))
    without_own = changes(*trained(start, "sgd", "", "set-learning-rate-factor name=* learning-rate-factor=1"))
    part = changes(*trained(start, "sgd", "tdnn1.*=0.25 output-xent.*=0.5"))
    for name, change in whole.items():
        own = 5.0 if "output_xent" in name else 1.0
        given = 0.25 if "tdnn1" in name else 0.5 if "output_xent" in name else 1.0
        torch.testing.assert_close(change, own * without_own[name], rtol=1e-3, atol=1e-7)
        torch.testing.assert_close(part[name], given * change, rtol=1e-3, atol=1e-7)


def test_natural_gradient_takes_them_as_those_in_the_file(start: Path) -> None:
    """Which are Kaldi's: nnet3-copy --edits='set-learning-rate-factor ...'."""
    _, given = trained(start, "natural-gradient", "tdnn1.*=0.25", updates=3)
    edits = "set-learning-rate-factor name=tdnn1.* learning-rate-factor=0.25"
    _, edited = trained(start, "natural-gradient", "", edits, updates=3)
    for name, value in edited.state_dict().items():
        assert torch.equal(given.state_dict()[name], value), name


def test_a_rate_of_zero_in_the_file_does_not_freeze(start: Path) -> None:
    """Files hold the rate of the last minibatch; a layer that was frozen before may be trained now."""
    zero = "set-learning-rate name=* learning-rate=0"
    _, made = trained(start, "natural-gradient", "", zero)
    _, usual = trained(start, "natural-gradient", "")
    for name, value in usual.state_dict().items():
        assert torch.equal(made.state_dict()[name], value), name
    _, frozen = trained(start, "natural-gradient", "tdnnf2.*=0")
    rates = {n: getattr(c, "learning_rate", None) for n, c in frozen.to_nnet().components.items()}
    assert rates["tdnnf2.linear"] == rates["tdnnf2.affine"] == 0.0
    assert rates["tdnn1.affine"] == pytest.approx(0.01) and rates["output-xent.affine"] == pytest.approx(0.05)


def test_layers_of_other_models_are_their_modules() -> None:
    assert list(Affine(xent=True).parameters_of_layers()) == ["output", "xent"]
