"""nnet-pytorch-gmm-global-get-frame-likes: twin of gmm-global-get-frame-likes."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.gmm.global_statistics import selected_posteriors
from kaldi_bridge.gmm.mixture_files import read_mixture
from kaldi_bridge.gmm.mixture_scoring import FrameLikelihoodOptions, write_frame_likelihoods

USAGE = """Log-likelihoods of frames by one mixture of Gaussians with diagonal covariances.
Usage: nnet-pytorch-gmm-global-get-frame-likes [options] <model-in> <feature-rspecifier> <likes-wspecifier>
e.g.: nnet-pytorch-gmm-global-get-frame-likes 1.dubm scp:train.scp ark:1.likes"""


def gmm_global_get_frame_likes(
    options: FrameLikelihoodOptions, model_in: str, feature_rspecifier: str, likes_wspecifier: str
) -> int:
    return write_frame_likelihoods(
        options, read_mixture(model_in), selected_posteriors, feature_rspecifier, likes_wspecifier
    )


main = command(gmm_global_get_frame_likes, usage=USAGE)

if __name__ == "__main__":
    main()
