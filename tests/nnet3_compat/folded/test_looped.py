"""Networks without torch, chunk by chunk: the numbers are torch's."""

from pathlib import Path

import numpy as np
import pytest

from nnet3_compat.components import set_seed
from nnet3_compat.folded.looped import FoldedLoopedNetwork, LoopedPlan
from nnet3_compat.folded.network import _csrc
from nnet3_compat.folded.outer_maps import with_outer_maps
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.network.looped import LoopedNetwork
from nnet3_compat.structure.nnet import Nnet

FACTOR, SIZE, SEQUENCES, CHUNKS = 3, 9, 3, 5
TDNNF = """
input-node name=ivector dim=5
input-node name=input dim=7
component name=lda type=FixedAffineComponent input-dim=26 output-dim=26
component name=a1 type=NaturalGradientAffineComponent input-dim=26 output-dim=37
component name=r1 type=RectifiedLinearComponent dim=37
component name=b1 type=BatchNormComponent dim=37
component name=d1 type=GeneralDropoutComponent dim=37 dropout-proportion=0.1 continuous=true
component name=l2 type=TdnnComponent input-dim=37 output-dim=9 time-offsets=-3,0 use-bias=false
component name=a2 type=TdnnComponent input-dim=9 output-dim=37 time-offsets=0,3
component name=r2 type=RectifiedLinearComponent dim=37
component name=b2 type=BatchNormComponent dim=37
component name=n2 type=NoOpComponent dim=37
component name=out type=AffineComponent input-dim=37 output-dim=45
component name=soft type=LogSoftmaxComponent dim=45
component-node name=lda component=lda input=Append(Offset(input, -1), input, Offset(input, 1), {i})
component-node name=a1 component=a1 input=lda
component-node name=r1 component=r1 input=a1
component-node name=b1 component=b1 input=r1
component-node name=d1 component=d1 input=b1
component-node name=l2 component=l2 input=d1
component-node name=a2 component=a2 input=l2
component-node name=r2 component=r2 input=a2
component-node name=b2 component=b2 input=r2
component-node name=n2 component=n2 input=Sum(Scale(0.66, d1), b2)
component-node name=out component=out input=n2
component-node name=soft component=soft input=out
output-node name=output input=soft
"""
FUNCTIONS = """
input-node name=input dim=6
component name=a type=AffineComponent input-dim=12 output-dim=40
component name=sigmoid type=SigmoidComponent dim=40
component name=tanh type=TanhComponent dim=40
component name=norm type=NormalizeComponent dim=80 block-dim=20 target-rms=0.5 add-log-stddev=true
component name=product type=ElementwiseProductComponent input-dim=84 output-dim=42
component name=scale type=PerElementScaleComponent dim=42
component name=offset type=PerElementOffsetComponent dim=42 block-dim=21
component name=fixed-scale type=FixedScaleComponent dim=42
component name=fixed-bias type=FixedBiasComponent dim=42
component name=both type=ScaleAndOffsetComponent dim=42 block-dim=14
component name=soft type=SoftmaxComponent dim=42
component name=b type=BatchNormComponent dim=42 target-rms=0.7
component name=out type=LinearComponent input-dim=52 output-dim=3
component-node name=a component=a input=Append(Offset(input, -2), IfDefined(Offset(input, 4)))
component-node name=sigmoid component=sigmoid input=a
component-node name=tanh component=tanh input=Sum(a, Scale(-0.5, Offset(a, -3)))
component-node name=norm component=norm input=Append(sigmoid, tanh)
component-node name=product component=product input=norm
component-node name=scale component=scale input=product
component-node name=offset component=offset input=scale
component-node name=fixed-scale component=fixed-scale input=Sum(offset, Const(0.25, 42))
component-node name=fixed-bias component=fixed-bias input=fixed-scale
component-node name=both component=both input=fixed-bias
component-node name=soft component=soft input=both
component-node name=b component=b input=Sum(soft, fixed-bias)
dim-range-node name=some input-node=norm dim-offset=30 dim=10
component-node name=out component=out input=Append(b, Failover(Offset(some, 90), Round(some, 3)))
output-node name=output input=out
"""


def made_up(config: str) -> Nnet:
    """With scales and statistics of batch normalization that are not trivial."""
    set_seed(3)
    config = config.replace("{i}", "ReplaceIndex(ivector, t, 0)")
    nnet, random = Nnet.from_config(config.strip().splitlines()), np.random.default_rng(4)
    for component in nnet.components.values():
        if component.TYPE == "BatchNormComponent":
            mean, variance = random.normal(size=component.dim), random.uniform(0.5, 2, component.dim)
            component.count, component.stats_sum = 10.0, 10 * mean
            component.stats_sumsq = 10 * (variance + mean * mean)
        if component.TYPE == "ScaleAndOffsetComponent":
            component.scales, component.offsets = random.normal(size=(2, component.scales.size)).astype(np.float32)
    return nnet


def assert_same(nnet: Nnet, factor: int) -> None:
    """The outputs of several utterances, also of one that is computed without the others."""
    plan = LoopedPlan.of(with_outer_maps(nnet), SIZE, factor, 4)
    assert plan.can_fold
    folded, torchs = FoldedLoopedNetwork(plan), LoopedNetwork(LoopedPlan.of(nnet, SIZE, factor, 4))
    carried = [[network.begin() for _ in range(SEQUENCES)] for network in (folded, torchs, folded)]
    random = np.random.default_rng(1)
    for chunk in range(CHUNKS):
        features = random.normal(size=(SEQUENCES, plan.request.num_inputs(chunk), plan.input_dim)).astype(np.float32)
        ivectors = random.normal(size=(SEQUENCES, plan.ivector_dim)).astype(np.float32) if plan.ivector_dim else None
        found, carried[0] = folded(features, ivectors, chunk, carried[0])
        expected, carried[1] = torchs(features, ivectors, chunk, carried[1])
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        one = None if ivectors is None else ivectors[1:2]
        alone, carried[2][1:2] = folded(features[1:2], one, chunk, carried[2][1:2])
        np.testing.assert_allclose(alone[0], found[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("config", [TDNNF, FUNCTIONS], ids=["tdnnf", "functions"])
@pytest.mark.parametrize("factor", [1, 3])
def test_as_torch(config: str, factor: int) -> None:
    assert_same(made_up(config), factor)


@pytest.mark.parametrize(
    "name", ["tdnn-batchnorm-ivector", "tdnn-renorm", "cnn-tdnnf", "tdnn-lstmp-fast", "opgru", "attention"]
)
def test_networks_of_kaldi(name: str, reference: Path) -> None:
    assert_same(read_nnet(str(reference / "zoo" / name / "model.raw")), FACTOR)


def test_what_torch_has_to_compute(reference: Path) -> None:
    plan = LoopedPlan.of(read_nnet(str(reference / "zoo" / "stats" / "model.raw")), SIZE, FACTOR, 0)
    assert not plan.can_fold


def test_places_do_not_overlap() -> None:
    random = np.random.default_rng(2)
    sizes, born = random.integers(0, 9, 60).tolist(), random.integers(-1, 30, 60).tolist()
    dies = [b + int(random.integers(0, 10)) for b in born]
    begins, total = _csrc.places(sizes, born, dies)
    for at in range(-1, 41):
        taken = np.zeros(total, int)
        for size, begin, b, d in zip(sizes, begins, born, dies, strict=True):
            if b <= at <= d:
                taken[begin : begin + size] += 1
        assert taken.max() <= 1
    assert total < sum(sizes) / 2
