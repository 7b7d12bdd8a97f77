"""nnet-pytorch-fgmm-gselect: twin of fgmm-gselect."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.gmm.full_model import read_full_mixture
from kaldi_bridge.gmm.gaussian_selection import SelectionOptions, write_selection

USAGE = """Write, for each frame, the numbers of the likeliest Gaussians of full covariance, the best first.
Usage: nnet-pytorch-fgmm-gselect [options] <model-in> <feature-rspecifier> <gselect-wspecifier>
e.g.: nnet-pytorch-fgmm-gselect "--gselect=ark:gunzip -c bigger.gz|" --n=20 1.ubm scp:feats.scp ark:gselect.ark"""


def fgmm_gselect(options: SelectionOptions, model_in: str, feats: str, wspecifier: str) -> int:
    mixture = read_full_mixture(model_in)
    scores = mixture.all_log_likelihoods, mixture.num_gaussians
    return write_selection(options, *scores, feats, wspecifier, mixture.pair_log_likelihoods)


main = command(fgmm_gselect, usage=USAGE)

if __name__ == "__main__":
    main()
