"""Recurrences without torch: the numbers are torch's; those of Kaldi's networks are compared with Kaldi's outputs in
tests/nnet3_compat/utterances/test_reference_outputs.py."""

import numpy as np
import pytest
import torch

from nnet3_compat.components import set_seed
from nnet3_compat.folded.model import FoldedModel, folded_model
from nnet3_compat.folded.network import FoldedNetwork
from nnet3_compat.folded.outer_maps import with_outer_maps
from nnet3_compat.folded.precision import PRECISIONS
from nnet3_compat.network.network import Network
from nnet3_compat.structure.graph import build_graph
from nnet3_compat.structure.layout import plan_layout
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.structure.request import Request
from tests.nnet3_compat.folded.test_looped import assert_same

LSTM = """
input-node name=input dim=6
component name=all type=NaturalGradientAffineComponent input-dim=16 output-dim=84
component name=mask type=DropoutMaskComponent output-dim=3 dropout-proportion=0.2
component name=lstm type=LstmNonlinearityComponent cell-dim=21 use-dropout=true
component name=rp type=NaturalGradientAffineComponent input-dim=21 output-dim=17
component name=trunc type=BackpropTruncationComponent dim=31 scale=0.9
component name=out type=AffineComponent input-dim=17 output-dim=5
component-node name=all component=all input=Append(input, IfDefined(Offset(r, DELAY)))
dim-range-node name=three input-node=input dim-offset=0 dim=3
component-node name=mask component=mask input=three
component-node name=lstm component=lstm input=Append(all, IfDefined(Offset(c, DELAY)), mask)
dim-range-node name=c0 input-node=lstm dim-offset=0 dim=21
dim-range-node name=m input-node=lstm dim-offset=21 dim=21
component-node name=rp component=rp input=m
dim-range-node name=r0 input-node=rp dim-offset=2 dim=10
component-node name=trunc component=trunc input=Append(c0, r0)
dim-range-node name=c input-node=trunc dim-offset=0 dim=21
dim-range-node name=r input-node=trunc dim-offset=21 dim=10
component-node name=out component=out input=Sum(rp, Offset(rp, 3))
output-node name=output input=out
"""
GRU = """
input-node name=input dim=6
component name=z type=NaturalGradientAffineComponent input-dim=16 output-dim=21
component name=r type=NaturalGradientAffineComponent input-dim=16 output-dim=10
component name=h type=NaturalGradientAffineComponent input-dim=6 output-dim=21
component name=sz type=SigmoidComponent dim=21
component name=sr type=SigmoidComponent dim=10
component name=gru type=GruNonlinearityComponent cell-dim=21 recurrent-dim=10
component name=y type=NaturalGradientAffineComponent input-dim=21 output-dim=17
component name=out type=AffineComponent input-dim=17 output-dim=5
component-node name=z component=z input=Append(input, IfDefined(Offset(s, DELAY)))
component-node name=r component=r input=Append(input, IfDefined(Offset(s, DELAY)))
component-node name=h component=h input=input
component-node name=sz component=sz input=z
component-node name=sr component=sr input=r
component-node name=gru component=gru input=Append(sz, sr, h, IfDefined(Offset(c, DELAY)), IfDefined(Offset(s, DELAY)))
dim-range-node name=c input-node=gru dim-offset=21 dim=21
component-node name=y component=y input=c
dim-range-node name=s input-node=y dim-offset=0 dim=10
component-node name=out component=out input=y
output-node name=output input=out
"""
WHOLE_GRU = """
input-node name=input dim=6
component name=zrh type=NaturalGradientAffineComponent input-dim=6 output-dim=63
component name=gru type=GruNonlinearityComponent cell-dim=21
component name=out type=AffineComponent input-dim=21 output-dim=5
component-node name=zrh component=zrh input=input
component-node name=gru component=gru input=Append(zrh, IfDefined(Offset(c, DELAY)))
dim-range-node name=c input-node=gru dim-offset=21 dim=21
component-node name=out component=out input=Append(c)
output-node name=output input=out
"""
MIXED = """
input-node name=input dim=6
component name=a type=NaturalGradientAffineComponent input-dim=36 output-dim=20
component name=relu type=RectifiedLinearComponent dim=20
component name=norm type=BatchNormComponent dim=20
component name=w type=PerElementScaleComponent dim=20 param-mean=0.3
component name=tanh type=TanhComponent dim=20
component name=out type=AffineComponent input-dim=20 output-dim=5
component-node name=a component=a input=Append(IfDefined(Offset(tanh, DELAY)), input, Sum(\
IfDefined(Scale(0.5, Offset(part, FURTHER))), Offset(first, 1)))
dim-range-node name=first input-node=tanh0 dim-offset=3 dim=10
component-node name=tanh0 component=tanh input=b
component name=b type=AffineComponent input-dim=6 output-dim=20
component-node name=b component=b input=input
component-node name=relu component=relu input=a
component-node name=norm component=norm input=relu
component-node name=w component=w input=IfDefined(Offset(norm, DELAY))
component-node name=tanh component=tanh input=Sum(norm, w, Const(0.1, 20))
dim-range-node name=part input-node=norm dim-offset=1 dim=10
component-node name=out component=out input=norm
output-node name=output input=out
"""
CONFIGS = {"lstm": LSTM, "gru": GRU, "whole-gru": WHOLE_GRU, "mixed": MIXED}
TOLERANCES = {"float32": 1e-5, "bfloat16": 0.02, "int8": 0.06}


def made(kind: str, delay: int) -> Nnet:
    set_seed(1)
    config = CONFIGS[kind].replace("\\\n", "").replace("DELAY", str(delay)).replace("FURTHER", str(2 * delay))
    nnet, random = Nnet.from_config(config.strip().splitlines()), np.random.default_rng(4)
    for component in nnet.components.values():
        if component.TYPE == "BatchNormComponent":
            mean, variance = random.normal(size=component.dim), random.uniform(0.5, 2, component.dim)
            component.count, component.stats_sum = 10.0, 10 * mean
            component.stats_sumsq = 10 * (variance + mean * mean)
    return nnet


def features_for(model: FoldedModel, num_outputs: int, factor: int) -> tuple[np.ndarray, int]:
    """With some frames more than are needed before the first output."""
    left = model.left_context + 7
    frames = left + factor * (num_outputs - 1) + 1 + model.right_context + 4
    return np.random.default_rng(num_outputs).normal(size=(3, frames, 6)).astype(np.float32), left


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("delay", [-3, -1, 2])
def test_pieces_as_torch(kind: str, delay: int) -> None:
    """To this part of the largest output; the frames of a block are as many as the delay, and not always all there."""
    nnet = made(kind, delay)
    network = Network.from_nnet(nnet)
    for factor in (1, 3):
        models = {precision: folded_model(nnet, factor, 1, precision) for precision in PRECISIONS}
        for num_outputs in (1, 4, 20):
            for precision, model in models.items():
                assert model is not None
                assert not model.chunk_invariant(10)
                features, left = features_for(model, num_outputs, factor)
                with torch.no_grad():
                    expected = network(torch.from_numpy(features), factor=factor, left=left, num_outputs=num_outputs)
                found = model(features, None, left, num_outputs)
                tolerance = TOLERANCES[precision] * expected.abs().max().item()
                np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=tolerance)


@pytest.mark.parametrize(("kind", "delay"), [*((kind, -3) for kind in CONFIGS), ("lstm", 3), ("mixed", -1)])
def test_chunks_as_torch(kind: str, delay: int) -> None:
    """Backwards only as far as a chunk sees."""
    assert_same(made(kind, delay), 3)


def test_the_same_in_any_company() -> None:
    """A sequence's outputs do not depend, to the last bit, on those beside it."""
    model = folded_model(made("lstm", -2), 1, 1)
    assert model is not None
    features, left = features_for(model, 30, 1)
    together = model(features, None, left, 30)
    np.testing.assert_array_equal(model(features[1:2], None, left, 30)[0], together[1])


def test_what_is_not_a_number_goes_on() -> None:
    model = folded_model(made("lstm", -1), 1, 1)
    assert model is not None
    features, left = features_for(model, 30, 1)
    features[1, left + 10] = np.nan
    found = np.isnan(model(features, None, left, 30)).any(axis=2)
    assert not found[0].any() and not found[2].any()
    assert not found[1, :7].any() and found[1, 7:].all()  # the output sees three frames ahead


def test_only_maps_of_both_are_cut() -> None:
    nnet = made("lstm", -3)
    cut = with_outer_maps(nnet)
    assert [node.name for node in cut.nodes if ":" in node.name] == ["all:outer", "all:inner"]
    assert cut.components["all:outer"].input_dim == 6 and cut.components["all:inner"].input_dim == 10
    assert with_outer_maps(whole := made("whole-gru", -3)) is whole


def test_layouts_that_do_not_fit() -> None:
    """C++ looks at every integer of a recurrence."""
    nnet = made("lstm", -3)
    graph = build_graph(nnet)
    network, good = FoldedNetwork(graph, nnet.components), plan_layout(graph, Request(20, 9, 9, 1))
    network.program(good)
    (number,) = [g for g, group in enumerate(graph.groups) if group.direction != 0]
    spec = good[number]
    refused = 0
    for at in range(len(spec)):
        for wrong in (-7, 99, 2**62):
            bad = list(spec)
            bad[at] = wrong
            try:
                network.program([*good[:number], bad, *good[number + 1 :]])
            except ValueError as error:
                assert "layout" in str(error) or "row" in str(error)
                refused += 1
    assert refused > len(spec)
    for end in range(0, len(spec), 3):
        with pytest.raises(ValueError, match=r"layout|row"):
            network.program([*good[:number], spec[:end], *good[number + 1 :]])
