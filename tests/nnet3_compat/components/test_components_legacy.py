"""Files of older programs: tokens that came later are absent, tokens that are gone are read over."""

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from tests.helpers.component_files import dump, load

VECTOR = "[ 1 2 3 ]"
MATRIX = "[\n  1 2\n  3 4\n  5 6 ]\n"


def old(text: str):
    return load(text.encode(), False)


def test_opening_token_may_be_repeated():
    component = old("<PnormComponent> <PnormComponent> <InputDim> 6 <OutputDim> 3 </PnormComponent> ")
    assert (component.input_dim, component.output_dim) == (6, 3)


def test_nonlinearity_without_later_tokens():
    relu = old(
        f"<RectifiedLinearComponent> <Dim> 3 <ValueAvg> {VECTOR} <DerivAvg> [ ] <Count> 10 "
        "<SelfRepairScale> 1e-05 </RectifiedLinearComponent> "
    )
    np.testing.assert_allclose(relu.value_sum, [10, 20, 30])
    assert relu.block_dim == 3 and relu.deriv_sum.size == 0 and relu.oderiv_count == 0.0
    assert b"<OderivRms>" in dump(relu, False)
    newer = old(
        f"<SigmoidComponent> <Dim> 3 <BlockDim> 1 <ValueAvg> {VECTOR} <DerivAvg> {VECTOR} <Count> 2 "
        f"<OderivRms> {VECTOR} <OderivCount> 4 <NumDimsSelfRepaired> 5 <NumDimsProcessed> 6 "
        "<SelfRepairLowerThreshold> 0.1 <SelfRepairUpperThreshold> 0.2 </SigmoidComponent> "
    )
    np.testing.assert_allclose(newer.oderiv_sumsq, [4, 16, 36])
    assert (newer.num_dims_self_repaired, newer.self_repair_upper_threshold) == (5.0, np.float32(0.2))


def test_noop_was_a_nonlinearity():
    noop = old(
        f"<NoOpComponent> <Dim> 3 <ValueAvg> {VECTOR} <DerivAvg> {VECTOR} <Count> 2 <OderivRms> {VECTOR} "
        "<OderivCount> 1 <NumDimsSelfRepaired> 0 <NumDimsProcessed> 0 </NoOpComponent> "
    )
    assert dump(noop, False) == b"<NoOpComponent> <Dim> 3 <BackpropScale> 1 </NoOpComponent> "


def test_normalize_of_2015():
    normalize = old(
        f"<NormalizeComponent> <Dim> 3 <ValueAvg> {VECTOR} <DerivAvg> {VECTOR} <Count> 2 </NormalizeComponent> "
    )
    assert (normalize.input_dim, normalize.block_dim, normalize.target_rms) == (3, 3, 1.0)
    assert not normalize.add_log_stddev


def test_affine_family():
    affine = old(
        f"<AffineComponent> <LearningRate> 0.5 <LinearParams> {MATRIX} <BiasParams> {VECTOR} <IsGradient> T "
        "</AffineComponent> "
    )
    assert affine.is_gradient and affine.learning_rate == 0.5
    natural = old(
        "<NaturalGradientAffineComponent> <LearningRateFactor> 0.5 <MaxChange> 0.75 <LearningRate> 0.5 "
        f"<LinearParams> {MATRIX} <BiasParams> {VECTOR} <RankIn> 2 <RankOut> 3 <UpdatePeriod> 1 "
        "<NumSamplesHistory> 2000 <Alpha> 4 <MaxChangePerSample> 0.1 <IsGradient> F <UpdateCount> 3 "
        "<ActiveScalingCount> 4 <MaxChangeScaleStats> 5 <NaturalGradientAffineComponent> "
    )
    assert (natural.rank_in, natural.rank_out, natural.max_change, natural.update_period) == (2, 3, 0.75, 1)
    assert natural.learning_rate_factor == 0.5 and not natural.is_gradient
    scale = old(
        f"<NaturalGradientPerElementScaleComponent> <LearningRate> 1 <Params> {VECTOR} <IsGradient> F <Rank> 2 "
        "<UpdatePeriod> 4 <NumSamplesHistory> 9 <Alpha> 4 <MaxChangePerMinibatch> 0.2 "
        "</NaturalGradientPerElementScaleComponent> "
    )
    assert scale.rank == 2
    offset = old(f"<PerElementOffsetComponent> <LearningRate> 1 <Offsets> {VECTOR} </PerElementOffsetComponent> ")
    assert offset.input_dim == 3 and offset.use_natural_gradient


def test_tdnn_with_one_alpha():
    tdnn = old(
        f"<TdnnComponent> <LearningRate> 1 <TimeOffsets> [ 0 3 ] <LinearParams> {MATRIX} <BiasParams> [ ] "
        "<OrthonormalConstraint> -1 <UseNaturalGradient> T <NumSamplesHistory> 2000 <Alpha> 3 <RankInOut> 20 80 "
        "</TdnnComponent> "
    )
    assert (tdnn.alpha_in, tdnn.alpha_out) == (3.0, 3.0)
    assert b"<AlphaInOut> 3 3 " in dump(tdnn, False)


def test_tdnn_needs_an_alpha():
    text = (
        f"<TdnnComponent> <LearningRate> 1 <TimeOffsets> [ 0 3 ] <LinearParams> {MATRIX} <BiasParams> [ ] "
        "<OrthonormalConstraint> -1 <UseNaturalGradient> T <NumSamplesHistory> 2000 <RankInOut> 20 80 </TdnnComponent> "
    )
    with pytest.raises(KaldiError, match="Alpha"):
        old(text)


def test_clip_gradient_without_self_repair():
    clip = old(
        "<ClipGradientComponent> <Dim> 3 <ClippingThreshold> 5 <NormBasedClipping> T <NumElementsClipped> 1 "
        "<NumElementsProcessed> 4 </ClipGradientComponent> "
    )
    assert (clip.self_repair_clipped_proportion_threshold, clip.self_repair_scale, clip.num_backpropped) == (
        1.0,
        0.0,
        0,
    )
    assert "clipped-proportion=0.25" in clip.info()


def test_dropout_of_old():
    assert not old("<DropoutComponent> <Dim> 3 <DropoutProportion> 0.5 </DropoutComponent> ").test_mode
    mask = old("<DropoutMaskComponent> <OutputDim> 3 <DropoutProportion> 0.5 </DropoutMaskComponent> ")
    assert not mask.continuous and not mask.test_mode


def test_permute_with_float_map():
    data = b"<PermuteComponent> <ColumnMap> FV \x04\x03\0\0\0" + np.array([1, 0, 1], np.float32).tobytes()
    assert load(data + b"</PermuteComponent> ", True).column_map == [1, 0, 2]


def test_lstm_without_dropout_and_constant_without_rate():
    row = "0 " * 2
    stats = "[\n" + "\n".join([row] * 5) + " ]\n"
    lstm = old(
        f"<LstmNonlinearityComponent> <LearningRate> 1 <Params> [\n{row}\n{row}\n{row} ]\n <ValueAvg> {stats} "
        f"<DerivAvg> {stats} <SelfRepairConfig> [ {'0 ' * 10}] <SelfRepairProb> [ 0 0 0 0 0 ] <Count> 0 "
        "</LstmNonlinearityComponent> "
    )
    assert not lstm.use_dropout and lstm.input_dim == 10
    constant = old(
        f"<ConstantFunctionComponent> <InputDim> 2 <Output> {VECTOR} <IsUpdatable> F <UseNaturalGradient> T "
        "</ConstantFunctionComponent> "
    )
    assert constant.learning_rate == 0.001 and not constant.is_updatable
    truncation = old(
        "<BackpropTruncationComponent> <Dim> 3 <ClippingThreshold> 5 <ZeroingThreshold> 4 <ZeroingInterval> 3 "
        "<RecurrenceInterval> 1 <NumElementsClipped> 0 <NumElementsZeroed> 0 <NumElementsProcessed> 0 "
        "<NumZeroingBoundaries> 0 </BackpropTruncationComponent> "
    )
    assert truncation.scale_factor == 1.0
