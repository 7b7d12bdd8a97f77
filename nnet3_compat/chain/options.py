"""Options of the chain objective (chain/chain-training.h, ChainTrainingOptions)."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option, without_effect

LIMIT = 30.0  # the denominator limits outputs to +-LIMIT, before the exponential


@dataclass
class ChainOptions:
    """What programs that compute the objective take; also to be made by hand."""

    l2_regularize: float = option(0.0, "L2 regularization of the network's output")
    out_of_range_regularize: float = option(
        0.01, "Penalty for outputs outside [-30, 30], to which they are limited in the denominator"
    )
    leaky_hmm_coefficient: float = option(
        1e-5, "Probability of leaking from each state of the denominator graph to any other, to forget gradually"
    )
    xent_regularize: float = option(0.0, "Weight of the cross-entropy of the output 'output-xent'")
    lwf_scale: float = option(0.0, "Weight of an older network's posteriors as targets (learning without forgetting)")
    lwf_den_scale: float = option(
        0.0, "The same; of flat-start examples the denominator's derivative counts so much more as well (DenLWF)"
    )
    numerator_graph_threads: int = without_effect(
        2, "The result is the same; numerators run on the threads that OMP_NUM_THREADS allows"
    )


@dataclass
class AddedPosteriorsOptions:
    """What posteriors nnet3-chain-add-post-to-egs adds to examples."""

    type: str = option("raw", "What to add: the network's outputs (raw), or the denominator's posteriors (den)")
    clip_threshold: float = option(0.0, "With --type=den, posteriors whose integer part is below this become zero")
    apply_exp: bool = option(True, "With --type=raw, the exponential of the outputs")
    leaky_hmm_coefficient: float = option(1e-5, "With --type=den, the leaky-HMM coefficient of the denominator graph")
