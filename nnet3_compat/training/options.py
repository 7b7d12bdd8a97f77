"""Options of the training programs (nnet3/nnet-training.h, NnetTrainerOptions)."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option, without_effect
from kaldi_bridge.options import OutputOptions
from nnet3_compat.chain.options import ChainOptions
from nnet3_compat.discriminative.options import DiscriminativeOptions
from nnet3_compat.examples.programs import CombineOptions
from nnet3_compat.structure.request import INT_MAX, INT_MIN, DerivTimes
from nnet3_compat.utterances.computation_options import COMPILER, DeviceOptions, OptimizationOptions

ONLY_TRUE = "Only true: a recurrence's parameters are updated by all of its steps at once"


@dataclass
class NnetTrainerOptions(OptimizationOptions):
    """How minibatches change a network, as far as Kaldi's options say."""

    store_component_stats: bool = option(True, "Store statistics of nonlinear and batch-norm components")
    zero_component_stats: bool = option(True, "Forget the statistics that the network was read with")
    print_interval: int = option(100, "Minibatches between messages about the objective")
    max_param_change: float = option(2.0, "Largest change of all parameters in a minibatch (Euclidean norm), 0: any")
    momentum: float = option(0.0, "Momentum; learning rates are multiplied by one minus it")
    l2_regularize_factor: float = option(1.0, "Factor of the components' own l2-regularize values")
    batchnorm_stats_scale: float = option(0.8, "Factor of the statistics of batch norm after each minibatch")
    backstitch_training_scale: float = option(0.0, "Size of the backward step of backstitch training; 0: none")
    backstitch_training_interval: int = option(1, "Minibatches from one backstitch step to the next")
    read_cache: str = without_effect("", COMPILER)
    write_cache: str = without_effect("", COMPILER)
    binary_write_cache: bool = without_effect(True, COMPILER)
    optimization_optimize: bool = option(True, ONLY_TRUE, name="optimization.optimize")
    optimization_consolidate_model_update: bool = option(True, ONLY_TRUE, name="optimization.consolidate-model-update")
    optimization_min_deriv_time: int = option(
        INT_MIN, "Derivatives before this time are taken for zero", name="optimization.min-deriv-time"
    )
    optimization_max_deriv_time: int = option(
        INT_MAX, "Derivatives after this time are taken for zero", name="optimization.max-deriv-time"
    )
    optimization_max_deriv_time_relative: int = option(
        INT_MAX,
        "If given, --optimization.max-deriv-time is so many frames after the last output",
        name="optimization.max-deriv-time-relative",
    )

    def deriv_times(self) -> DerivTimes:
        """The times at which derivatives count."""
        first, last = self.optimization_min_deriv_time, self.optimization_max_deriv_time
        return DerivTimes(first, last, self.optimization_max_deriv_time_relative)


@dataclass
class TrainerOptions(NnetTrainerOptions):
    """How minibatches change a network; see trainer.py."""

    optimizer: str = option(
        "natural-gradient",
        "natural-gradient (as nnet3), or PyTorch's sgd, adam or adamw in its place; learning rates are the components'",
    )
    optimizer_state: str = option(
        "", "File with the state of --optimizer, read at the start if it is there and written at the end"
    )


@dataclass
class ProgramOptions(TrainerOptions, DeviceOptions, OutputOptions):
    """What nnet3-train and nnet3-chain-train both take."""

    srand: int = option(0, "Seed for random number generator")


@dataclass
class ChainProgramOptions(ProgramOptions, ChainOptions):
    """Options of nnet3-chain-train and nnet3-chain-train2."""

    apply_deriv_weights: bool = option(True, "Apply the weights of derivatives per frame that examples come with")


@dataclass
class ChainCombineOptions(CombineOptions, ChainOptions, DeviceOptions):
    """Options of nnet3-chain-combine and nnet3-chain-combine2."""


OLDER = "As in Kaldi, whose discriminative training is older than this"


@dataclass
class DiscriminativeProgramOptions(ProgramOptions, DiscriminativeOptions):
    """Options of nnet3-discriminative-train."""

    apply_deriv_weights: bool = option(True, "Apply the weights of derivatives per frame that examples come with")
    dropout_test_mode: bool = option(True, "Set test mode of dropout components")
    l2_regularize_factor: float = without_effect(1.0, OLDER)
    batchnorm_stats_scale: float = without_effect(0.8, OLDER)
    backstitch_training_scale: float = without_effect(0.0, OLDER)
    backstitch_training_interval: int = without_effect(1, OLDER)
    accumulate_gradients: bool = without_effect(False, "nnet-pytorch-discriminative-compute-objf prints averages")
    accumulate_output: bool = without_effect(False, "nnet-pytorch-discriminative-compute-objf prints averages")
    num_pdfs: int = without_effect(0, "nnet-pytorch-discriminative-compute-objf prints averages")
