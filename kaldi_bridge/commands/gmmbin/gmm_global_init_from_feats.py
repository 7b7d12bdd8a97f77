"""nnet-pytorch-gmm-global-init-from-feats: twin of gmm-global-init-from-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.estimation import EstimationOptions
from kaldi_bridge.gmm.global_initial import sample_frames, train
from kaldi_bridge.gmm.mixture_files import write_mixture
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Initialize one mixture of Gaussians from random frames, and train it on features in memory.
Usage: nnet-pytorch-gmm-global-init-from-feats [options] <feature-rspecifier> <model-out>
e.g.: nnet-pytorch-gmm-global-init-from-feats scp:train.scp 1.dubm"""


@dataclass
class Options(EstimationOptions, OutputOptions):
    """Options of gmm-global-init-from-feats."""

    num_gauss: int = option(100, "Number of Gaussians in the model")
    num_gauss_init: int = option(0, "Number of Gaussians at first, to be split later (if 0, --num-gauss)")
    num_iters: int = option(50, "Number of iterations of training")
    num_frames: int = option(200000, "Number of frames to keep in memory, chosen at random")
    srand: int = option(0, "Seed of the random numbers")
    num_threads: int = without_effect(4, "Sums are matrix products, which take the threads that numpy has")


def gmm_global_init_from_feats(options: Options, feature_rspecifier: str, model_out: str) -> None:
    if options.num_frames <= 0 or options.num_gauss <= 0:
        raise KaldiError(f"--num-frames={options.num_frames} and --num-gauss={options.num_gauss} must be positive")
    random = CRandom(options.srand)
    log.info(f"Reading features (will keep {options.num_frames} frames.)")
    with SequentialReader(feature_rspecifier, FLOAT_MATRIX) as reader:
        feats = sample_frames(reader, options.num_frames, random)
    mixture = train(feats, options.num_gauss, options.num_gauss_init, options.num_iters, options, random)
    write_mixture(model_out, mixture, options.binary)
    log.info(f"Wrote model to {model_out}")


main = command(gmm_global_init_from_feats, usage=USAGE)

if __name__ == "__main__":
    main()
