"""What components do: statistics, time structure, test mode, lower rank, semi-orthogonality."""

import numpy as np
import pytest

from nnet3_compat.components.collapse import collapse
from nnet3_compat.components.low_rank import factorize, reduce_rank
from tests.helpers.component_lines import make


def test_nonlinear_statistics():
    relu = make("type=RectifiedLinearComponent dim=3")
    assert relu.info() == "RectifiedLinearComponent, dim=3"
    seen = relu.copy()
    seen.value_sum, seen.deriv_sum, seen.count = np.array([2.0, 4, 6]), np.array([1.0, 1, 2]), 2.0
    relu.add(0.5, seen)
    np.testing.assert_array_equal(relu.value_sum, [1, 2, 3])
    assert relu.count == 1.0
    relu.scale(4.0)
    np.testing.assert_array_equal(relu.value_avg, [1, 2, 3])
    assert relu.info().endswith("value-avg=[ 1.0 2.0 3.0 ], deriv-avg=[ 0.50 0.50 1.0 ]")
    relu.value_sum[0] = np.nan
    relu.zero_stats()
    assert relu.count == 0.0 and not relu.value_sum.any()


def test_batchnorm():
    norm = make("type=BatchNormComponent dim=4 block-dim=2 epsilon=0.5 target-rms=2")
    norm.stats_sum, norm.stats_sumsq, norm.count = np.array([4.0, 8]), np.array([16.0, 24]), 4.0
    norm.set_test_mode(True)
    norm.zero_stats()
    assert norm.count == 4.0
    norm.set_test_mode(False)
    norm.zero_stats()
    assert norm.count == 0.0


def test_integer_statistics_stay_integers():
    clip = make("type=ClipGradientComponent dim=3")
    clip.count, clip.num_clipped = 7, 3
    clip.scale(0.5)
    assert (clip.count, clip.num_clipped) == (3, 1)


def test_constant_that_is_not_updatable():
    constant = make("type=ConstantFunctionComponent input-dim=6 output-dim=3 output-mean=1 is-updatable=false")
    constant.scale(0.0)
    assert not constant.is_updatable and constant.output.all()


def test_pointwise_components_need_their_own_time():
    relu = make("type=RectifiedLinearComponent dim=3")
    assert relu.is_pointwise and relu.input_times(5) == [5] and relu.taps() is None


@pytest.mark.parametrize("line", ["type=DropoutMaskComponent output-dim=3", "type=ConstantComponent output-dim=3"])
def test_components_without_input(line):
    component = make(line)
    assert component.input_times(3) == [] and not component.is_pointwise


def test_time_offsets():
    tdnn = make("type=TdnnComponent input-dim=3 output-dim=2 time-offsets=3,-3,0")
    assert tdnn.input_times(10) == [13, 7, 10] and all(tdnn.taps().required)
    conv = make(
        "type=TimeHeightConvolutionComponent num-filters-in=1 num-filters-out=1 height-in=4 height-out=4 "
        "height-offsets=-1,0,1 time-offsets=-2,0,2 required-time-offsets=0"
    )
    assert conv.input_times(1) == [-1, 1, 3] and conv.taps().required == (False, True, False)
    attention = make(
        "type=RestrictedAttentionComponent key-dim=4 value-dim=3 num-left-inputs=2 num-right-inputs=1 time-stride=3 "
        "num-left-inputs-required=1 num-right-inputs-required=0"
    )
    assert attention.input_times(0) == [-6, -3, 0, 3]
    assert attention.taps().required == (False, True, True, False)
    assert (attention.input_dim, attention.output_dim) == (4 + 3 + 4 + 4, 3 + 4)


def test_statistics_times():
    extraction = make("type=StatisticsExtractionComponent input-dim=6 input-period=2 output-period=4")
    assert extraction.input_times(-1) == [-4, -2] and extraction.input_times(5) == [4, 6]
    assert extraction.taps().any_of and extraction.output_dim == 13
    pooling = make(
        "type=StatisticsPoolingComponent input-dim=13 input-period=2 left-context=4 right-context=2 "
        "num-log-count-features=2 output-stddevs=true"
    )
    assert pooling.input_times(2) == [-2, 0, 2, 4] and pooling.taps().any_of and pooling.output_dim == 14
    assert pooling.taps().multiple_of == 2 and not any(pooling.taps().required)


def test_distribute_maps_x():
    distribute = make("type=DistributeComponent input-dim=12 output-dim=4")
    assert [distribute.select(x) for x in (-4, -3, -1)] == [(-2, 2), (-1, 0), (-1, 2)]
    assert [distribute.select(x) for x in (0, 2, 3)] == [(0, 0), (0, 2), (1, 0)]
    assert not distribute.is_pointwise


def test_composite_delegates():
    composite = make(
        "type=CompositeComponent num-components=3 component1='type=AffineComponent input-dim=6 output-dim=4 "
        "learning-rate-factor=0.5' component2='type=RectifiedLinearComponent dim=4' "
        "component3='type=LinearComponent input-dim=4 output-dim=2'"
    )
    assert composite.num_parameters == 28 + 8 and composite.is_updatable
    composite.set_underlying_learning_rate(0.1)
    assert [c.learning_rate for c in composite.updatable()] == pytest.approx([0.05, 0.1])
    composite.set_as_gradient()
    assert all(c.is_gradient for c in composite.updatable())
    other = composite.copy()
    other.components[0].linear_params[:] = 0.0
    assert composite.components[0].linear_params.all()
    fixed = make("type=CompositeComponent num-components=1 component1='type=NoOpComponent dim=4'")
    assert not fixed.is_updatable


def test_repeated_to_block():
    repeated = make("type=RepeatedAffineComponent input-dim=12 output-dim=8 num-repeats=4 bias-stddev=1 max-change=0.5")
    block = repeated.to_block_affine()
    block.check()
    assert (block.input_dim, block.output_dim, block.max_change) == (12, 8, 0.5)
    x = np.random.default_rng(0).standard_normal((4, 3))
    by_repeat = x @ repeated.linear_params.T + repeated.bias_params
    by_block = np.einsum("bi,boi->bo", x, block.linear_params.reshape(4, 2, 3)) + block.bias_params.reshape(4, 2)
    np.testing.assert_allclose(by_block, by_repeat, rtol=1e-6)


def test_reduce_rank():
    affine = make("type=AffineComponent input-dim=20 output-dim=10")
    before = affine.linear_params.copy()
    total, kept = reduce_rank(affine, 4)
    assert np.linalg.matrix_rank(affine.linear_params, tol=1e-4) == 4 and kept < total
    assert np.linalg.norm(affine.linear_params - before) < np.linalg.norm(before)


def test_factorize():
    affine = make("type=NaturalGradientAffineComponent input-dim=30 output-dim=20 learning-rate=0.3 max-change=0.5")
    affine.linear_params = (affine.linear_params[:, :3] @ affine.linear_params[:3]).astype(np.float32)
    parts = factorize("a", affine, 3, 0.0, 0.5)
    assert parts is not None
    first, second = parts
    np.testing.assert_allclose(second.linear_params @ first.params, affine.linear_params, atol=1e-5)
    np.testing.assert_array_equal(second.bias_params, affine.bias_params)
    assert (first.max_change, second.learning_rate) == (0.5, affine.learning_rate)
    assert factorize("a", affine, 3, 0.0, 0.2) is None
    by_energy = factorize("a", affine, 20, 0.999, 0.9)
    assert by_energy is not None and by_energy[0].output_dim <= 3


def test_collapse_affine():
    first = make("type=FixedAffineComponent input-dim=3 output-dim=4")
    second = make("type=NaturalGradientAffineComponent input-dim=8 output-dim=5")
    joined = collapse(first, second)
    assert joined is not None and joined.TYPE == "AffineComponent" and joined.input_dim == 6
    x = np.random.default_rng(0).standard_normal((2, 3))
    middle = (x @ first.linear_params.T + first.bias_params).reshape(-1)
    expected = second.linear_params @ middle + second.bias_params
    np.testing.assert_allclose(joined.linear_params @ x.reshape(-1) + joined.bias_params, expected, rtol=1e-5)
    assert joined.linear_params.dtype == np.float32
    assert collapse(make("type=AffineComponent input-dim=9 output-dim=4"), second) is None
    assert collapse(make("type=NoOpComponent dim=8"), second) is None


def test_collapse_scale():
    affine = make("type=AffineComponent input-dim=3 output-dim=4 max-change=0.5")
    joined = collapse(affine, make("type=FixedScaleComponent dim=4 scale=0.5"))
    assert joined is not None and joined.max_change == 0.5
    np.testing.assert_allclose(joined.linear_params, affine.linear_params / 2)
    np.testing.assert_allclose(joined.bias_params, affine.bias_params / 2)
