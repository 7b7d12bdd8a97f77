"""Looped computation gives what Kaldi's gives, number by number.

looped.npz has every sixth output of Kaldi's DecodableNnetSimpleLooped for each network of the reference, called by a
small program; names: network, --frame-subsampling-factor, --frames-per-chunk, --extra-left-context-initial.
"""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.model.model_file import read_any, read_nnet
from nnet3_compat.structure.graph import build_graph
from nnet3_compat.structure.segments import SegmentRequest, plan_segments
from nnet3_compat.utterances.computation import Utterance
from nnet3_compat.utterances.looped_computation import LoopedComputer
from nnet3_compat.utterances.looped_options import LoopedOptions
from nnet3_compat.utterances.online_computation import OnlineComputer

KALDIS = np.load(Path(__file__).parent / "looped.npz")
FRAMES = 100


@pytest.fixture(scope="module")
def inputs(reference: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features, and i-vectors every ten frames, of an utterance."""
    features, ivectors = (
        next(iter(SequentialReader(f"ark:{reference}/zoo/inputs/{name}.ark", FLOAT_MATRIX)))[1]
        for name in ("feats", "ivectors")
    )
    return features[:FRAMES], ivectors


def options_of(case: str) -> LoopedOptions:
    _, factor, chunk, extra = case.split(".")
    return LoopedOptions(int(extra), int(factor), 1.0, int(chunk))


def utterance(computer: OnlineComputer, inputs: tuple[np.ndarray, np.ndarray], frames: int = FRAMES) -> Utterance:
    made = Utterance(str(frames), inputs[0][:frames])
    if computer.model.ivector_dim:
        made.online_ivectors, made.ivector_period = inputs[1], 10
    return made


@pytest.mark.parametrize("case", sorted(KALDIS))
def test_as_kaldi(case: str, reference: Path, inputs: tuple[np.ndarray, np.ndarray]) -> None:
    """To 1e-4; and the same for an utterance among others of other lengths, to 1e-5."""
    model = read_any(str(reference / "zoo" / case.split(".")[0] / "model.raw"))
    computer = LoopedComputer(model, options_of(case))
    lengths = (FRAMES, 7, 61)
    made = dict(computer.compute_many(utterance(computer.online, inputs, frames) for frames in lengths))
    np.testing.assert_allclose(made[str(FRAMES)][:, ::6], KALDIS[case], rtol=1e-4, atol=1e-4)
    for frames in lengths:
        ((_, alone),) = computer.compute_many([utterance(computer.online, inputs, frames)])
        assert len(alone) == -(-frames // options_of(case).frame_subsampling_factor)
        np.testing.assert_allclose(made[str(frames)], alone, rtol=1e-5, atol=1e-5)


def test_nothing_is_computed_twice(reference: Path) -> None:
    """Each layer of a TDNN has as many new rows in a segment as the segment has frames, or a third of them."""
    graph = build_graph(read_nnet(str(reference / "zoo/tdnn-renorm/model.raw")))
    made = plan_segments(graph, SegmentRequest(size=21, left=30, right=30, factor=3))
    rows = {spec[0] for spec, group in zip(made.layouts[-1].specs, graph.groups, strict=True)}
    assert rows <= {7, 14, 21} and sum(spec[0] for spec in made.layouts[0].specs) > 21 * len(graph.groups) / 2


def test_what_cannot_be_looped(reference: Path, inputs: tuple[np.ndarray, np.ndarray]) -> None:
    fixed = build_graph(read_nnet(str(reference / "zoo/opgru/model.raw")))
    model = read_any(str(reference / "zoo/cnn-tdnnf/model.raw"))
    with pytest.raises(KaldiError, match="reads a fixed time"):
        plan_segments(build_graph(read_nnet(str(reference / "zoo/cnn-tdnnf/model.raw"))), SegmentRequest(21, 9, 9, 3))
    with pytest.raises(KaldiError, match="cannot be computed at frame 0"):
        plan_segments(fixed, SegmentRequest(size=21, left=0, right=0, factor=3))
    for wrong, message in (
        (LoopedOptions(frames_per_chunk=0), "must be > 0"),
        (LoopedOptions(extra_left_context_initial=-1), "must not be negative"),
        (LoopedOptions(acoustic_scale=0.0), "must be positive"),
    ):
        with pytest.raises(KaldiError, match=message):
            LoopedComputer(model, wrong)
    computer = LoopedComputer(model, LoopedOptions())
    features, ivectors = inputs
    for given, message in (
        (Utterance("a", features), "none are given"),
        (Utterance("a", features, ivectors[0], ivectors, 10), "not both"),
        (Utterance("a", features, None, ivectors, 0), "--online-ivector-period"),
        (Utterance("a", features, None, ivectors[:0], 10), "i-vectors of utterance a is empty"),
        (Utterance("a", features, None, ivectors[:, :5], 10), "got 5 but network expects 30"),
    ):
        with pytest.raises(KaldiError, match=message):
            list(computer.compute_many([given]))
