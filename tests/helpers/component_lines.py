"""Config lines that cover every component type, and most of their keys."""

from nnet3_compat.components import Component, new_component
from nnet3_compat.components.config_line import ConfigLine

# ruff: noqa: E501

LINES = """
type=SigmoidComponent dim=12 self-repair-scale=1e-05
type=TanhComponent dim=5 self-repair-lower-threshold=0.1 self-repair-upper-threshold=0.3
type=SoftmaxComponent dim=5
type=LogSoftmaxComponent dim=12
type=RectifiedLinearComponent dim=12 block-dim=4 self-repair-scale=2e-05
type=NormalizeComponent dim=12
type=NormalizeComponent input-dim=12 block-dim=4 target-rms=0.5 add-log-stddev=true
type=PnormComponent input-dim=12 output-dim=4
type=AffineComponent input-dim=7 output-dim=3 param-stddev=0.2 bias-stddev=0.1 learning-rate=0.02 max-change=0.75
type=AffineComponent input-dim=30 output-dim=20 orthonormal-constraint=-1 l2-regularize=0.01 learning-rate-factor=0.5
type=LinearComponent input-dim=30 output-dim=20 orthonormal-constraint=1.0 alpha=3 rank-in=5
type=LinearComponent input-dim=3 output-dim=2 use-natural-gradient=false
type=NaturalGradientAffineComponent input-dim=30 output-dim=20 bias-mean=2 num-samples-history=1000 update-period=3
type=NaturalGradientAffineComponent input-dim=3 output-dim=2 orthonormal-constraint=0.7 rank-out=1
type=PerElementScaleComponent dim=12 param-mean=0.5 param-stddev=0.1
type=NaturalGradientPerElementScaleComponent dim=12 param-mean=0.5 param-stddev=0.1 rank=3 alpha=2
type=PerElementOffsetComponent dim=12 param-stddev=0.1 block-dim=6 use-natural-gradient=false
type=SumGroupComponent sizes=1,2,3
type=SumGroupComponent input-dim=12 output-dim=4
type=FixedAffineComponent input-dim=12 output-dim=4
type=FixedScaleComponent dim=12 scale=0.25
type=FixedScaleComponent dim=12
type=FixedBiasComponent dim=12
type=NoOpComponent dim=12
type=NoOpComponent dim=12 backprop-scale=0.5
type=ClipGradientComponent dim=12 clipping-threshold=30 norm-based-clipping=true self-repair-scale=0
type=ClipGradientComponent dim=12
type=ElementwiseProductComponent input-dim=12 output-dim=6
type=ConvolutionComponent input-x-dim=6 input-y-dim=5 input-z-dim=2 filt-x-dim=3 filt-y-dim=2 filt-x-step=1 filt-y-step=3 num-filters=4
type=ConvolutionComponent input-x-dim=6 input-y-dim=5 input-z-dim=2 filt-x-dim=2 filt-y-dim=2 filt-x-step=2 filt-y-step=1 num-filters=4 input-vectorization-order=yzx param-stddev=0.1 bias-stddev=0
type=TdnnComponent input-dim=6 output-dim=8 time-offsets=-3,0,3
type=TdnnComponent input-dim=6 output-dim=8 time-offsets=0,1 use-bias=false orthonormal-constraint=-1 alpha-in=2 alpha-out=3 rank-in=4
type=TdnnComponent input-dim=6 output-dim=8 time-offsets=0 use-natural-gradient=false param-stddev=0 bias-stddev=0
type=MaxpoolingComponent input-x-dim=6 input-y-dim=4 input-z-dim=2 pool-x-size=2 pool-y-size=2 pool-z-size=1 pool-x-step=2 pool-y-step=1 pool-z-step=1
type=PermuteComponent column-map=3,0,1,2
type=PermuteComponent column-map=3,0,1,2,6,5,4
type=DistributeComponent input-dim=12 output-dim=4
type=CompositeComponent num-components=2 component1='type=NaturalGradientAffineComponent input-dim=6 output-dim=4' component2='type=RectifiedLinearComponent dim=4' max-rows-process=1024
type=RepeatedAffineComponent input-dim=12 output-dim=8 num-repeats=4 bias-stddev=0.3 bias-mean=0.1
type=BlockAffineComponent input-dim=12 output-dim=8 num-blocks=4 param-stddev=0.3 bias-mean=0.1
type=NaturalGradientRepeatedAffineComponent input-dim=12 output-dim=8 num-repeats=4
type=StatisticsExtractionComponent input-dim=6 input-period=2 output-period=4 include-variance=false
type=StatisticsExtractionComponent input-dim=6
type=StatisticsPoolingComponent input-dim=13 input-period=2 left-context=4 right-context=6 num-log-count-features=2 output-stddevs=true
type=StatisticsPoolingComponent input-dim=6 left-context=3 right-context=0 variance-floor=1e-5
type=ConstantFunctionComponent input-dim=6 output-dim=3 output-mean=0.5 output-stddev=0.1
type=ConstantFunctionComponent input-dim=6 output-dim=3 is-updatable=false use-natural-gradient=false
type=ConstantComponent output-dim=3 output-mean=0.5 max-change=0.5
type=DropoutComponent dim=12 dropout-proportion=0.2 dropout-per-frame=true
type=DropoutMaskComponent output-dim=3 dropout-proportion=0.1
type=DropoutMaskComponent output-dim=12 continuous=true test-mode=true
type=GeneralDropoutComponent dim=12 block-dim=4 time-period=2 dropout-proportion=0.1 continuous=true
type=GeneralDropoutComponent dim=12 specaugment-max-proportion=0.3 specaugment-max-regions=2 test-mode=true
type=SpecAugmentTimeMaskComponent dim=12 zeroed-proportion=0.3 time-mask-max-frames=20
type=BackpropTruncationComponent dim=12 scale=0.5 clipping-threshold=15 zeroing-threshold=10 zeroing-interval=15 recurrence-interval=3
type=LstmNonlinearityComponent cell-dim=4 use-dropout=true self-repair-scale=2e-05 tanh-self-repair-threshold=0.3 param-stddev=0.1
type=LstmNonlinearityComponent cell-dim=12
type=BatchNormComponent dim=12 block-dim=4 epsilon=1e-4 target-rms=0.5
type=BatchNormComponent dim=12
type=TimeHeightConvolutionComponent num-filters-in=2 num-filters-out=3 height-in=6 height-out=3 height-subsample-out=2 height-offsets=-1,0,1 time-offsets=-1,0,1 required-time-offsets=0
type=TimeHeightConvolutionComponent num-filters-in=2 num-filters-out=2 height-in=6 height-out=6 offsets=-1,0;0,0;0,1;1,0 init-unit=true use-natural-gradient=false num-minibatches-history=3
type=RestrictedAttentionComponent key-dim=4 value-dim=3 num-left-inputs=2 num-right-inputs=1 num-heads=2 time-stride=3 num-left-inputs-required=1
type=RestrictedAttentionComponent key-dim=4 value-dim=3 num-left-inputs=2 num-right-inputs=1 output-context=false key-scale=0.3
type=SumBlockComponent input-dim=12 output-dim=4 scale=0.5
type=GruNonlinearityComponent cell-dim=6 recurrent-dim=4 alpha=3 rank-in=2 rank-out=3 update-period=2
type=GruNonlinearityComponent cell-dim=6 param-stddev=0.1
type=OutputGruNonlinearityComponent cell-dim=6 param-mean=0.1 param-stddev=0.2 rank=4
type=ScaleAndOffsetComponent dim=12 block-dim=4 rank=2 use-natural-gradient=false
type=ScaleAndOffsetComponent dim=12
""".strip().splitlines()


def make(text: str) -> Component:
    line = ConfigLine(text)
    kind = line.get_value("type")
    line.get_value("name")
    return new_component(kind, line)
