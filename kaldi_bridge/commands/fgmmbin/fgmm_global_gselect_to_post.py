"""nnet-pytorch-fgmm-global-gselect-to-post: twin of fgmm-global-gselect-to-post."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.gmm.full_model import read_full_mixture
from kaldi_bridge.gmm.full_statistics import full_posteriors
from kaldi_bridge.gmm.mixture_scoring import PosteriorOptions, write_posteriors

USAGE = """Posteriors of selected Gaussians of one mixture with full covariances.
Usage: nnet-pytorch-fgmm-global-gselect-to-post [options] <model-in> <feature-rspecifier> <gselect-rspecifier>
 <post-wspecifier>
e.g.: nnet-pytorch-fgmm-global-gselect-to-post 1.ubm "$feats" "ark:gunzip -c gselect.1.gz|" ark:-"""


def fgmm_global_gselect_to_post(
    options: PosteriorOptions, model_in: str, feature_rspecifier: str, gselect: str, post_wspecifier: str
) -> int:
    return write_posteriors(
        options, read_full_mixture(model_in), full_posteriors, feature_rspecifier, gselect, post_wspecifier
    )


main = command(fgmm_global_gselect_to_post, usage=USAGE)

if __name__ == "__main__":
    main()
