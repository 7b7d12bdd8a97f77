"""nnet-pytorch-fgmm-global-get-frame-likes: twin of fgmm-global-get-frame-likes."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.gmm.full_model import read_full_mixture
from kaldi_bridge.gmm.full_statistics import full_posteriors
from kaldi_bridge.gmm.mixture_scoring import FrameLikelihoodOptions, write_frame_likelihoods

USAGE = """Log-likelihoods of frames by one mixture of Gaussians with full covariances.
Usage: nnet-pytorch-fgmm-global-get-frame-likes [options] <model-in> <feature-rspecifier> <likes-wspecifier>
e.g.: nnet-pytorch-fgmm-global-get-frame-likes 1.ubm scp:train.scp ark:1.likes"""


def fgmm_global_get_frame_likes(
    options: FrameLikelihoodOptions, model_in: str, feature_rspecifier: str, likes_wspecifier: str
) -> int:
    return write_frame_likelihoods(
        options, read_full_mixture(model_in), full_posteriors, feature_rspecifier, likes_wspecifier
    )


main = command(fgmm_global_get_frame_likes, usage=USAGE)

if __name__ == "__main__":
    main()
