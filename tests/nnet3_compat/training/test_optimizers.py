"""--optimizer: PyTorch's optimizers in the place of nnet3's rule, and their state from program to program."""

from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.command import run
from nnet3_compat.commands.chainbin import nnet3_chain_train as train_chain
from nnet3_compat.model.model_file import read_nnet, write_model
from nnet3_compat.structure.nnet import Nnet

FIXED = ["--leaky-hmm-coefficient=0.1", "--xent-regularize=0.1", "--max-param-change=0", "--use-gpu=no"]


def train(folder: Path, start: Path, examples: str, out: Path, *options: str) -> Nnet:
    arguments = [*FIXED, *options, str(start), str(folder / "den.fst"), f"ark:{folder / examples}", str(out)]
    assert run(train_chain.main, arguments) == 0
    return read_nnet(str(out))


def parameters(nnet: Nnet) -> dict[str, np.ndarray]:
    return {
        f"{name}.{parameter}": getattr(component, parameter)
        for name, component in nnet.components.items()
        for parameter in getattr(component, "PARAMS", ())
    }


@pytest.fixture(scope="module")
def start(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kaldi's network, with nothing that limits or regularizes a change."""
    nnet = read_nnet(str(reference / "one_step/four.momentum0.5.raw"))
    for component in nnet.components.values():
        if hasattr(component, "max_change"):
            component.max_change, component.l2_regularize = 0.0, 0.0
        if hasattr(component, "orthonormal_constraint"):
            component.orthonormal_constraint = 0.0
    path = tmp_path_factory.mktemp("optimizers") / "start.raw"
    write_model(str(path), nnet)
    return path


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_first_step_of_adam(name: str, reference: Path, start: Path, tmp_path: Path) -> None:
    """Adam's first step is the learning rate times the sign of each gradient (but for epsilon)."""
    before = parameters(read_nnet(str(start)))
    by_sgd = parameters(train(reference / "one_step", start, "one.cegs", tmp_path / "sgd.raw", "--optimizer=sgd"))
    made = train(reference / "one_step", start, "one.cegs", tmp_path / "out.raw", f"--optimizer={name}")
    rates = {key: component.learning_rate for key, component in made.components.items() if hasattr(component, "PARAMS")}
    for key, after in parameters(made).items():
        rate = rates[key.rsplit(".", 1)[0]]
        gradient = (by_sgd[key] - before[key]) / rate
        clear = np.abs(gradient) > 1e-2  # far above Adam's epsilon and the rounding of parameters
        step = np.sign(gradient) * rate
        np.testing.assert_allclose((after - before[key])[clear], step[clear], rtol=0.01, atol=1e-6, err_msg=key)
        assert clear.any() or not before[key].size, key


def test_state_goes_from_program_to_program(reference: Path, start: Path, tmp_path: Path) -> None:
    """One program on the same examples twice, and two programs with one each, end with the same parameters."""
    folder, state = reference / "one_step", tmp_path / "adam.pt"
    twice = tmp_path / "twice.cegs"
    twice.write_bytes((folder / "one.cegs").read_bytes() * 2)
    plain = ["--optimizer=adam", "--store-component-stats=false"]
    at_once = train(tmp_path_with_graph(folder, tmp_path), start, "twice.cegs", tmp_path / "at-once.raw", *plain)
    stateful = [*plain, f"--optimizer-state={state}"]
    train(folder, start, "one.cegs", tmp_path / "1.raw", *stateful)
    assert torch.load(state, weights_only=True)["state"]
    then = train(folder, tmp_path / "1.raw", "one.cegs", tmp_path / "2.raw", *stateful)
    without = train(folder, tmp_path / "1.raw", "one.cegs", tmp_path / "3.raw", *plain)
    ours, wanted, forgotten = (parameters(nnet) for nnet in (then, at_once, without))
    for key in wanted:
        np.testing.assert_allclose(ours[key], wanted[key], atol=1e-6, err_msg=key)
    assert any(np.abs(forgotten[key] - wanted[key]).max() > 1e-4 for key in wanted)


def tmp_path_with_graph(folder: Path, tmp_path: Path) -> Path:
    """The folder of the test, with the denominator graph beside its examples."""
    (tmp_path / "den.fst").write_bytes((folder / "den.fst").read_bytes())
    return tmp_path


def test_unknown_optimizer(reference: Path, start: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    folder, out = reference / "one_step", tmp_path / "out.raw"
    arguments = ["--optimizer=lbfgs", str(start), str(folder / "den.fst"), f"ark:{folder / 'one.cegs'}", str(out)]
    assert run(train_chain.main, arguments) == 255
    assert "--optimizer=lbfgs must be one of" in capfd.readouterr().err
    assert not out.exists()


def test_state_of_another_network(reference: Path, start: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    state = tmp_path / "state.pt"
    torch.save({"state": {}, "param_groups": []}, state)
    options = ["--optimizer=adam", f"--optimizer-state={state}"]
    folder, out = reference / "one_step", tmp_path / "out.raw"
    arguments = [*options, str(start), str(folder / "den.fst"), f"ark:{folder / 'one.cegs'}", str(out)]
    assert run(train_chain.main, arguments) == 255
    assert f"{state} is not the state of this optimizer for this network" in capfd.readouterr().err
    assert not out.exists()
