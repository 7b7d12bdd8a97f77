"""nnet-pytorch-gmm-global-gselect-to-post: twin of gmm-global-gselect-to-post."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.gmm.global_statistics import selected_posteriors
from kaldi_bridge.gmm.mixture_files import read_mixture
from kaldi_bridge.gmm.mixture_scoring import PosteriorOptions, write_posteriors

USAGE = """Posteriors of selected Gaussians of one mixture with diagonal covariances.
Usage: nnet-pytorch-gmm-global-gselect-to-post [options] <model-in> <feature-rspecifier> <gselect-rspecifier>
 <post-wspecifier>
e.g.: nnet-pytorch-gmm-global-gselect-to-post 1.dubm "$feats" "ark:gunzip -c gselect.1.gz|" ark:-"""


def gmm_global_gselect_to_post(
    options: PosteriorOptions, model_in: str, feature_rspecifier: str, gselect: str, post_wspecifier: str
) -> int:
    return write_posteriors(
        options, read_mixture(model_in), selected_posteriors, feature_rspecifier, gselect, post_wspecifier
    )


main = command(gmm_global_gselect_to_post, usage=USAGE)

if __name__ == "__main__":
    main()
