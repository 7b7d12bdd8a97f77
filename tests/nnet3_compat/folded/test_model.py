"""Networks without torch on whole pieces of utterances; those of Kaldi's networks are compared with Kaldi's outputs in
tests/nnet3_compat/utterances/test_reference_outputs.py."""

import numpy as np
import pytest
import torch

from kaldi_bridge.errors import KaldiError
from nnet3_compat.components import set_seed
from nnet3_compat.components.normalize import BatchNormComponent
from nnet3_compat.folded.model import folded_model
from nnet3_compat.folded.network import FoldedNetwork
from nnet3_compat.folded.precision import PRECISIONS
from nnet3_compat.machine.gpu_wanted import gpu_wanted
from nnet3_compat.network.network import Network
from nnet3_compat.structure.graph import build_graph
from nnet3_compat.structure.layout import plan_layout
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.structure.request import Request
from nnet3_compat.utterances.computation import Computer, Utterance
from nnet3_compat.utterances.computation_options import SimpleComputationOptions

WIDE = """
input-node name=input dim=200
component name=a type=AffineComponent input-dim=600 output-dim=500
component name=r type=RectifiedLinearComponent dim=500
component name=out type=TdnnComponent input-dim=500 output-dim=301 time-offsets=-3,0,1
component-node name=a component=a input=Append(Offset(input, -1), input, Offset(input, 2))
component-node name=r component=r input=a
component-node name=out component=out input=r
output-node name=output input=out
"""


COLUMNS = [column for h in range(12) for column in (*range(5 * h, 5 * h + 5), 60 + 2 * h, 61 + 2 * h)]
IMAGES = f"""
input-node name=input dim=12
input-node name=ivector dim=8
component name=c1 type=TimeHeightConvolutionComponent num-filters-in=1 num-filters-out=5 height-in=12 height-out=12 \
    time-offsets=-1,0,1 height-offsets=-1,0,1
component name=r1 type=RectifiedLinearComponent dim=60 block-dim=5
component name=iv type=LinearComponent input-dim=8 output-dim=24
component name=p type=PermuteComponent column-map={",".join(map(str, COLUMNS))}
component name=c2 type=TimeHeightConvolutionComponent num-filters-in=7 num-filters-out=33 height-in=12 height-out=6 \
    height-subsample-out=2 offsets=-3,-1;-3,0;0,-1;0,0;0,1;3,1 required-time-offsets=REQUIRED bias-stddev=1
component name=r2 type=RectifiedLinearComponent dim=198 block-dim=33
component name=b1 type=BatchNormComponent dim=60
component name=b2 type=BatchNormComponent dim=198 block-dim=33
component name=out type=AffineComponent input-dim=198 output-dim=20
component-node name=c1 component=c1 input=input
component-node name=r1 component=r1 input=c1
component-node name=b1 component=b1 input=r1
component-node name=iv component=iv input=ReplaceIndex(ivector, t, 0)
component-node name=p component=p input=Append(b1, iv)
component-node name=c2 component=c2 input=p
component-node name=r2 component=r2 input=c2
component-node name=b2 component=b2 input=r2
component-node name=out component=out input=b2
output-node name=output input=out
"""


def images(required: str) -> Nnet:
    """Convolutions over 12 heights, then over every other of them; filters of the first beside those of an i-vector.
    Batch norm is of each height of the first, and of all heights of the second."""
    nnet = Nnet.from_config(IMAGES.replace("\\\n", "").replace("REQUIRED", required).strip().splitlines())
    random = np.random.default_rng(2)
    for name in ("b1", "b2"):
        norm = nnet.components[name]
        assert isinstance(norm, BatchNormComponent)
        mean = random.normal(size=norm.block_dim)
        norm.count, norm.stats_sum = np.float32(10), 10 * mean
        norm.stats_sumsq = 10 * (mean**2 + random.uniform(0.1, 2, norm.block_dim))
    return nnet


@pytest.mark.parametrize("required", ["0", "-3,0,3"])
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.02), ("int8", 0.05)])
def test_convolutions_as_torch(required: str, precision: str, tolerance: float) -> None:
    """To this part of the largest output; outside of the image, and where an optional time is missing, are zeros."""
    set_seed(1)
    nnet, random = images(required), np.random.default_rng(1)
    model, network = folded_model(nnet, 3, 1, precision), Network.from_nnet(nnet)
    assert model is not None
    assert model.chunk_invariant(10) is (required != "0")
    for num_outputs in (1, 20, 77):
        left, right = model.left_context + 2, model.right_context + 1
        features = random.normal(size=(2, left + 3 * (num_outputs - 1) + 1 + right, 12)).astype(np.float32)
        ivector = random.normal(size=(2, 8)).astype(np.float32)
        found = model(features, ivector, left, num_outputs)
        with torch.no_grad():
            tensors = torch.from_numpy(features), torch.from_numpy(ivector)
            expected = network(*tensors, factor=3, left=left, num_outputs=num_outputs).numpy()
        assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize("num_threads", [1, 3])
@pytest.mark.parametrize("sequences", [1, 2])
def test_pieces_as_torch(num_threads: int, sequences: int) -> None:
    """Large enough for several threads and for several blocks of rows."""
    set_seed(1)
    nnet, random = Nnet.from_config(WIDE.strip().splitlines()), np.random.default_rng(1)
    model, network = folded_model(nnet, 3, num_threads), Network.from_nnet(nnet)
    assert model is not None and model.chunk_invariant(10)
    for num_outputs in (1, 110, 333):
        left, right = model.left_context + 2, model.right_context + 1
        features = random.normal(size=(sequences, left + 3 * (num_outputs - 1) + 1 + right, 200)).astype(np.float32)
        found = model(features, None, left, num_outputs)
        with torch.no_grad():
            expected = network(torch.from_numpy(features), factor=3, left=left, num_outputs=num_outputs)
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-4)


def test_the_same_in_any_company() -> None:
    """A sequence's outputs do not depend, to the last bit, on those beside it."""
    nnet = Nnet.from_config(WIDE.strip().splitlines())
    model = folded_model(nnet, 1, 1)
    assert model is not None
    features = np.random.default_rng(2).normal(size=(5, 20 + model.left_context + model.right_context, 200))
    features = features.astype(np.float32)
    together = model(features, None, model.left_context, 20)
    np.testing.assert_array_equal(model(features[3:4], None, model.left_context, 20)[0], together[3])


def test_utterances_at_a_time() -> None:
    """With several threads: in order, the same to the last bit, and those before a faulty one come out too."""
    nnet, random = Nnet.from_config(WIDE.strip().splitlines()), np.random.default_rng(3)
    made = [(f"{n}", random.normal(size=(n, 200)).astype(np.float32)) for n in random.integers(1, 200, 40).tolist()]
    options = SimpleComputationOptions(frames_per_chunk=30)
    one, several = (Computer(folded_model(nnet, 1, threads), options) for threads in (1, 3))  # type: ignore[arg-type]
    expected = list(one.compute_many(Utterance(*pair) for pair in made))
    found = list(several.compute_many(Utterance(*pair) for pair in made))
    assert [key for key, _ in found] == [key for key, _ in expected] == [key for key, _ in made]
    for (_, mine), (_, output) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, output)
    made[20] = ("faulty", np.zeros((5, 3), np.float32))
    before = []
    with pytest.raises(KaldiError, match="dimension 200 but you provided 3"):
        for key, _ in several.compute_many(Utterance(*pair) for pair in made):
            before.append(key)
    assert before == [key for key, _ in made[:20]]


def test_what_does_not_fit() -> None:
    with pytest.raises(KaldiError, match="must be > 0"):
        folded_model(Nnet.from_config(WIDE.strip().splitlines()), 0, 1)


def test_gpus_are_looked_for_without_torch() -> None:
    assert not gpu_wanted("no")
    for word in ("yes", "optional", "wait"):
        assert gpu_wanted(word) == (torch.version.cuda is not None or torch.version.hip is not None)
    with pytest.raises(KaldiError, match="Please choose"):
        gpu_wanted("maybe")


def test_layouts_that_do_not_fit() -> None:
    """C++ looks at every row that a layout reads."""
    graph = build_graph(nnet := Nnet.from_config(WIDE.strip().splitlines()))
    network, good = FoldedNetwork(graph, nnet.components), plan_layout(graph, Request(20, 9, 9, 1))
    network.program(good)
    spec = max(i for i, spec in enumerate(good) if spec[1:] and spec[1] == 1)  # one progression
    for at, wrong in ((2, 1000), (2, -1), (4, 10**18), (5, 10**18), (6, 10**18), (6, -3), (1, 2)):
        bad = [list(numbers) for numbers in good]
        bad[spec][at] = wrong
        with pytest.raises(ValueError, match=r"row|layout"):
            network.program(bad)
    for bad in ([], good[:-1], [[-1], *good[1:]], [[]] * len(good), [[3, -1, 9, 0], *good[1:]]):
        with pytest.raises(ValueError, match="layout"):
            network.program(bad)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_not_a_number_stays_so(precision: str) -> None:
    """Outputs that see such a feature, past a rectifier too, and no others."""
    model = folded_model(Nnet.from_config(WIDE.strip().splitlines()), 1, 1, precision)
    assert model is not None
    left, right = model.left_context, model.right_context
    features = np.random.default_rng(4).normal(size=(1, 40 + left + right, 200)).astype(np.float32)
    features[0, 25] = np.nan
    seen = [any(t + a + b == 25 - left for a in (-3, 0, 1) for b in (-1, 0, 2)) for t in range(40)]
    found = np.isnan(model(features, None, left, 40)[0])
    np.testing.assert_array_equal(found, np.tile(np.array(seen)[:, np.newaxis], 301))
