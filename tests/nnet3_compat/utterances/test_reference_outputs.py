"""Outputs of every network that Kaldi computed, against Kaldi's: 1e-4 of the largest output of the utterance.

(nnet3-compute itself differs by more from a computation in double precision; most networks agree to 1e-6.)
"""

import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from kaldi_bridge.tables import SequentialReader  # noqa: E402
from kaldi_bridge.tables.holders import FLOAT_MATRIX  # noqa: E402
from nnet3_compat.model.model_file import read_nnet  # noqa: E402
from nnet3_compat.network.network import Network  # noqa: E402
from nnet3_compat.utterances.computation import Computer, Utterance  # noqa: E402
from nnet3_compat.utterances.computation_options import SimpleComputationOptions  # noqa: E402
from nnet3_compat.utterances.loading import load_computer  # noqa: E402
from nnet3_compat.utterances.torch_models import NetworkModel, OnArrays  # noqa: E402

NETWORKS = ["attention", "blstmp", "cnn-tdnnf", "misc-components", "opgru", "stats"]
NETWORKS += ["tdnn-batchnorm-ivector", "tdnn-lstmp-fast", "tdnn-renorm"]
RECURRENT_OR_OPTIONAL = {"blstmp", "misc-components", "opgru", "stats", "tdnn-lstmp-fast"}


def read(path: Path) -> dict[str, np.ndarray]:
    return {key: np.array(value) for key, value in SequentialReader(f"ark:{path}", FLOAT_MATRIX)}


def options_of(name: str) -> SimpleComputationOptions:
    """The options that the name of a reference output says."""
    options = SimpleComputationOptions(acoustic_scale=1.0, frames_per_chunk=21)
    fields = {"sub": "frame_subsampling_factor", "chunk": "frames_per_chunk", "left": "extra_left_context"}
    fields |= {"right": "extra_right_context", "initial": "extra_left_context_initial"}
    fields |= {"final": "extra_right_context_final"}
    for part, number in re.findall(r"\.([a-z]+)(\d+)", name):
        if part in fields:
            setattr(options, fields[part], int(number))
    if "scale0.5" in name:
        options.acoustic_scale = 0.5
    return options


def utterances(zoo: Path, with_ivectors: bool) -> list[Utterance]:
    ivectors = read(zoo / "inputs" / "ivectors.ark") if with_ivectors else {}
    feats = read(zoo / "inputs" / "feats.ark")
    return [Utterance(key, value, None, ivectors.get(key), 10) for key, value in feats.items()]


@pytest.mark.parametrize("name", NETWORKS)
def test_zoo(reference: Path, name: str) -> None:
    zoo = reference / "zoo"
    outputs = sorted((zoo / name).glob("output.*.ark"))
    assert outputs
    for path in outputs:
        want = read(path)
        computer = load_computer(str(zoo / name / "model.raw"), options_of(path.name), "no", None)
        assert computer.whole == (name not in RECURRENT_OR_OPTIONAL)
        given = utterances(zoo, computer.model.ivector_dim > 0)
        keys = []
        for key, output in computer.compute_many(given):
            keys.append(key)
            got = np.exp(output) if ".exp." in path.name else output
            assert got.shape == want[key].shape
            assert np.abs(got - want[key]).max() <= 1e-4 * np.abs(want[key]).max(), path.name
        assert keys == [u.key for u in given]


@pytest.mark.parametrize("name", NETWORKS)
def test_module_chunk_by_chunk_and_scripted(reference: Path, name: str) -> None:
    """The trainable module on Kaldi's chunks; layouts by arithmetic; TorchScript."""
    zoo = reference / "zoo"
    network = Network.from_nnet(read_nnet(str(zoo / name / "model.raw")))

    class Plain:
        """The module itself instead of the folded network."""

        def __init__(self) -> None:
            self.__dict__.update(vars(NetworkModel(network, 3)))

        device = torch.device("cpu")

        def chunk_invariant(self, num_outputs: int) -> bool:
            return False

        def __call__(self, features, ivector, left, num_outputs):
            return network(features, ivector, factor=3, left=left, num_outputs=num_outputs)

    options = options_of("output.sub3.ark")
    want = read(zoo / name / "output.sub3.ark")
    for key, output in Computer(OnArrays(Plain()), options).compute_many(utterances(zoo, network.ivector_dim > 0)):
        assert np.abs(output - want[key]).max() <= 1e-4 * np.abs(want[key]).max()

    request = network.request(1, factor=3)
    table = network.layout_table(request)
    assert table is not None
    fresh = Network.from_nnet(read_nnet(str(zoo / name / "model.raw")))
    for n in (table.minimum, table.minimum + 1, table.minimum + 14):
        assert table.layout(n) == fresh.layout(request.resized(n))

    request = request.resized(table.minimum)
    inputs = [torch.randn(request.num_inputs, 2, network.input_dim)]
    executor = network.executor()
    if "ivector" in executor.input_names:
        ivector = torch.randn(1, 2, network.ivector_dim)
        inputs = [inputs[0] if kind == "input" else ivector for kind in executor.input_names]
    scripted = torch.jit.script(executor)
    with torch.no_grad():
        expected = executor(inputs, network.layout(request))[0]
        assert torch.equal(scripted(inputs, network.layout(request))[0], expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_trains_and_goes_back(reference: Path, name: str) -> None:
    """Every parameter behind the output gets a gradient; an untrained round trip changes nothing."""
    path = str(reference / "zoo" / name / "model.raw")
    nnet = read_nnet(path)
    network = Network.from_nnet(nnet)
    back = network.to_nnet()
    for key, component in nnet.components.items():
        other = back.components[key]
        for field, value in vars(component).items():
            if isinstance(value, np.ndarray):
                assert np.array_equal(value, getattr(other, field)), f"{key}.{field}"
    network.train()
    n = 24
    left, right = network.left_context + 6, network.right_context + 6
    features = torch.randn(2, n + left + right, network.input_dim)
    ivector = torch.randn(2, network.ivector_dim) if network.ivector_dim else None
    output, xent = network(features, ivector, num_outputs=n, left=left, outputs=("output", "output-xent"))
    (output.square().mean() + xent.square().mean()).backward()
    graph = network.graph(("output", "output-xent"))
    used = {v.component for v in graph.values if v.component}
    for component_name, key in network._keys.items():
        for field, parameter in network.components[key].named_parameters():
            if component_name in used and parameter.requires_grad:
                assert parameter.grad is not None, f"{component_name}.{field}"


def test_fsdd(reference: Path) -> None:
    """A whole experiment's model with online i-vectors."""
    folder = reference / "fsdd"
    want = read(folder / "tdnnf" / "output.sub3.chunk140.ark")
    from kaldi_bridge.tables import RandomAccessReader

    ivectors = read(folder / "ivectors_test" / "ivector_online.ark")
    feats = RandomAccessReader(f"ark:{folder / 'data' / 'test_hires' / 'feats.ark'}", FLOAT_MATRIX)
    options = SimpleComputationOptions(acoustic_scale=1.0, frame_subsampling_factor=3, frames_per_chunk=140)
    computer = load_computer(str(folder / "tdnnf" / "final.mdl"), options, "no", None)
    given = [Utterance(key, feats[key], None, ivectors[key], 10) for key in want]
    for key, output in computer.compute_many(given):
        assert np.abs(output - want[key]).max() <= 1e-4 * np.abs(want[key]).max()
