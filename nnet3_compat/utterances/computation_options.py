"""The options that programs share which run networks over utterances, with Kaldi's names and defaults.

(NnetSimpleComputationOptions, NnetBatchComputerOptions, and what nnet3-compute and nnet3-latgen-faster register.)
A command's options inherit from these groups; a Computer takes the first one.
"""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option, without_effect
from nnet3_compat.folded.precision import PrecisionOptions
from nnet3_compat.structure.request import INT_MAX, INT_MIN

COMPILER = "For Kaldi's compiler of computations; torch needs none"
NO_TRAINING = "Nothing is trained here"
CUDA = "For Kaldi's GPU code; torch manages memory and precision"


@dataclass
class SimpleComputationOptions(PrecisionOptions):
    """How utterances are cut into chunks; see chunking.py."""

    extra_left_context: int = option(0, "Frames that each chunk gets beyond the left context of the network")
    extra_right_context: int = option(0, "Frames that each chunk gets beyond the right context of the network")
    extra_left_context_initial: int = option(
        -1, "If not negative, replaces --extra-left-context in the first chunk of an utterance"
    )
    extra_right_context_final: int = option(
        -1, "If not negative, replaces --extra-right-context in the last chunk of an utterance"
    )
    frame_subsampling_factor: int = option(
        1, "Compute one output for so many frames of input (3 for most chain models)"
    )
    acoustic_scale: float = option(0.1, "Factor of the outputs after priors are subtracted")
    frames_per_chunk: int = option(50, "Frames (of input) of which the outputs are computed together")


@dataclass
class BatchComputationOptions(SimpleComputationOptions):
    """The same for the programs that compute in minibatches."""

    minibatch_size: int = option(128, "Most chunks that go through the network at once on a GPU")
    edge_minibatch_size: int = without_effect(
        32, "Minibatch size for the ends of utterances: chunks of all positions go into one minibatch here"
    )
    ensure_exact_final_context: bool = option(
        False, "If true, an utterance shorter than a chunk is not padded to the length of one"
    )
    partial_minibatch_factor: float = without_effect(0.5, "How partial minibatches shrink: torch computes any size")


@dataclass
class IvectorOptions:
    """Where the i-vectors come from."""

    ivectors: str = option(
        "", "Rspecifier of i-vectors as vectors, per utterance, or per speaker if --utt2spk is given"
    )
    utt2spk: str = option("", "Rspecifier of the speaker of each utterance, for --ivectors")
    online_ivectors: str = option("", "Rspecifier of i-vectors as matrices; needs --online-ivector-period")
    online_ivector_period: int = option(0, "Frames between the rows of --online-ivectors")


@dataclass
class DeviceOptions:
    """Which processor computes."""

    use_gpu: str = option("yes", "yes|no|optional|wait: whether to compute on a CUDA device")
    cuda_cache_memory: bool = without_effect(True, CUDA)
    cuda_memory_proportion: float = without_effect(0.5, CUDA)
    cuda_use_tensor_cores: bool = without_effect(False, CUDA)
    cuda_use_tf32_compute: bool = without_effect(False, CUDA)


@dataclass
class OptimizationOptions:
    """What Kaldi's compiler of computations can be told; torch has none."""

    debug_computation: bool = without_effect(False, COMPILER)
    computation_debug: bool = without_effect(False, COMPILER, name="computation.debug")
    compiler_cache_capacity: int = without_effect(64, COMPILER, name="compiler.cache-capacity")
    compiler_use_shortcut: bool = without_effect(True, COMPILER, name="compiler.use-shortcut")
    optimization_optimize: bool = without_effect(True, COMPILER, name="optimization.optimize")
    optimization_consolidate_model_update: bool = without_effect(
        True, COMPILER, name="optimization.consolidate-model-update"
    )
    optimization_propagate_in_place: bool = without_effect(True, COMPILER, name="optimization.propagate-in-place")
    optimization_backprop_in_place: bool = without_effect(True, COMPILER, name="optimization.backprop-in-place")
    optimization_extend_matrices: bool = without_effect(True, COMPILER, name="optimization.extend-matrices")
    optimization_optimize_row_ops: bool = without_effect(True, COMPILER, name="optimization.optimize-row-ops")
    optimization_split_row_ops: bool = without_effect(True, COMPILER, name="optimization.split-row-ops")
    optimization_convert_addition: bool = without_effect(True, COMPILER, name="optimization.convert-addition")
    optimization_remove_assignments: bool = without_effect(True, COMPILER, name="optimization.remove-assignments")
    optimization_allow_left_merge: bool = without_effect(True, COMPILER, name="optimization.allow-left-merge")
    optimization_allow_right_merge: bool = without_effect(True, COMPILER, name="optimization.allow-right-merge")
    optimization_initialize_undefined: bool = without_effect(True, COMPILER, name="optimization.initialize-undefined")
    optimization_move_sizing_commands: bool = without_effect(True, COMPILER, name="optimization.move-sizing-commands")
    optimization_allocate_from_other: bool = without_effect(True, COMPILER, name="optimization.allocate-from-other")
    optimization_min_deriv_time: int = without_effect(INT_MIN, NO_TRAINING, name="optimization.min-deriv-time")
    optimization_max_deriv_time: int = without_effect(INT_MAX, NO_TRAINING, name="optimization.max-deriv-time")
    optimization_max_deriv_time_relative: int = without_effect(
        INT_MAX, NO_TRAINING, name="optimization.max-deriv-time-relative"
    )
    optimization_snip_row_ops: bool = without_effect(True, COMPILER, name="optimization.snip-row-ops")
    optimization_memory_compression_level: int = without_effect(
        1, COMPILER, name="optimization.memory-compression-level"
    )
