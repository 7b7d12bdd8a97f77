"""Outputs while features come in: those of the utterance as a whole."""

from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.export.torchscript import export_network
from nnet3_compat.model.ivector_period import with_ivector_period
from nnet3_compat.model.model_file import read_any, read_nnet
from nnet3_compat.network.network import Network
from nnet3_compat.structure.request import Request
from nnet3_compat.utterances.computation_options import SimpleComputationOptions
from nnet3_compat.utterances.loading import make_computer
from nnet3_compat.utterances.looped_options import LoopedOptions
from nnet3_compat.utterances.online_computation import OnlineComputer

FEED_FORWARD = ["cnn-tdnnf", "tdnn-renorm"]
RECURRENT = ["tdnn-lstmp-fast", "opgru"]


def features_of(reference: Path) -> np.ndarray:
    with SequentialReader(f"ark:{reference}/zoo/inputs/feats.ark", FLOAT_MATRIX) as reader:
        return next(iter(reader))[1][:100]


def in_parts(
    computer: OnlineComputer, features: np.ndarray, size: int, ivectors: np.ndarray | None = None
) -> np.ndarray:
    """``ivectors``: one for each part."""
    online, made = computer.start(), []
    for number, start in enumerate(range(0, len(features), size)):
        part, last = features[start : start + size], start + size >= len(features)
        ivector = None if ivectors is None else ivectors[number]
        made.append(online.extend(part, last, None if ivector is None else lambda ivector=ivector: ivector))
    return np.concatenate(made)


@pytest.mark.parametrize(("name", "factor"), [(name, 3) for name in FEED_FORWARD + RECURRENT] + [("opgru", 1)])
def test_as_the_whole_utterance(name: str, factor: int, reference: Path) -> None:
    features = features_of(reference)
    model = read_any(str(reference / "zoo" / name / "model.raw"))
    one_chunk = SimpleComputationOptions(
        frames_per_chunk=3 * len(features), frame_subsampling_factor=factor, acoustic_scale=0.7,
        extra_left_context_initial=5,
    )  # fmt: skip
    whole = make_computer(model, one_chunk, "no", priors=None)
    dim = whole.model.ivector_dim
    same = np.random.default_rng(1).normal(size=(1, dim)).astype(np.float32).repeat(len(features), 0) if dim else None
    expected = whole.compute(features, ivector=None if same is None else same[0])
    computer = OnlineComputer(model, LoopedOptions(5, factor, 0.7, 21))
    for size in (1, 18, 1000):
        found = in_parts(computer, features, size, same)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_ivectors_change_with_the_chunks(reference: Path) -> None:
    """Rows of i-vectors on their frames, by the network that reads them there."""
    features, size, factor = features_of(reference)[:100], 21, 3
    path = str(reference / "zoo/tdnn-batchnorm-ivector/model.raw")
    model = read_any(path)
    computer = OnlineComputer(model, LoopedOptions(0, factor, 1.0, size))
    network = Network.from_nnet(with_ivector_period(read_nnet(path), size)).eval()
    left, right = network.left_context, network.right_context
    ivectors = np.random.default_rng(2).normal(size=(20, network.ivector_dim)).astype(np.float32)
    found = in_parts(computer, features, 13, ivectors)

    used, online, ready = [], computer.start(), 0
    for number, start in enumerate(range(0, 100, 13)):  # which part's i-vector is there when a chunk can be computed
        ready += len(
            online.extend(
                features[start : start + 13], start + 13 >= 100, lambda n=number: used.append(n) or ivectors[n]
            )
        )
    assert ready == len(found) and used == sorted(used) and len(set(used)) > 3
    padded = features[np.clip(np.arange(-left, 99 + right + 1), 0, 99)]
    first, known = -left // size, (size + right - 1) // size
    numbers = [used[max(0, min(k - known, len(used) - 1))] for k in range(first, (99 + right) // size + 1)]
    layout = network.layout(
        Request(34, left, right, factor, ivector_rows=len(numbers), ivector_period=size, ivector_start=first * size)
    )
    with torch.no_grad():
        inputs = {
            "input": torch.from_numpy(padded).unsqueeze(1),
            "ivector": torch.from_numpy(ivectors[numbers]).unsqueeze(1),
        }
        executor = network.executor()
        expected = executor([inputs[name] for name in executor.input_names], layout)[0][:, 0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)

    same = np.repeat(ivectors[:1], 20, axis=0)
    whole = SimpleComputationOptions(frame_subsampling_factor=factor, acoustic_scale=1.0)
    expected = make_computer(model, whole, "no", priors=None).compute(features, ivector=ivectors[0])
    np.testing.assert_allclose(in_parts(computer, features, 13, same), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["tdnn-renorm", "opgru"])
def test_archives_in_their_own_chunks(name: str, reference: Path, tmp_path: Path) -> None:
    """As offline with the same chunks, whether or not these matter."""
    features = features_of(reference)
    network = Network.from_nnet(read_nnet(str(reference / "zoo" / name / "model.raw")))
    export_network(network, frame_subsampling_factor=3, extra_left_context=20).save(str(tmp_path / "model.pt"))
    model = read_any(str(tmp_path / "model.pt"))
    chunks = SimpleComputationOptions(frames_per_chunk=21, frame_subsampling_factor=3, acoustic_scale=1.0)
    expected = make_computer(model, chunks, "no", priors=None).compute(features)
    found = in_parts(OnlineComputer(model, LoopedOptions(0, 3, 1.0, 21)), features, 10)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(KaldiError, match="gives an output every 3 frames"):
        OnlineComputer(model, LoopedOptions())


def test_wrong_inputs(reference: Path) -> None:
    features = features_of(reference)
    computer = OnlineComputer(read_any(str(reference / "zoo/tdnn-batchnorm-ivector/model.raw")), LoopedOptions())
    with pytest.raises(KaldiError, match="dimension 30, but none are given"):
        computer.start().extend(features, True, None)
    with pytest.raises(KaldiError, match="Ivector feature dimension mismatch: got 3"):
        computer.start().extend(features, True, lambda: np.zeros(3, np.float32))
    with pytest.raises(KaldiError, match="Input feature dimension mismatch: got 2"):
        computer.start().extend(features[:, :2], True, None)
