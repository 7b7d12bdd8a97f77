"""nnet-pytorch-gmm-gselect: twin of gmm-gselect."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.gmm.gaussian_selection import SelectionOptions, write_selection
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.streams import open_input

USAGE = """Write, for each frame, the numbers of the likeliest Gaussians of a mixture, the best first.
Usage: nnet-pytorch-gmm-gselect [options] <model-in> <feature-rspecifier> <gselect-wspecifier>
e.g.: nnet-pytorch-gmm-gselect --n=20 1.dubm scp:feats.scp 'ark,t:|gzip -c >gselect.1.gz'"""


def gmm_gselect(options: SelectionOptions, model_in: str, feats: str, wspecifier: str) -> int:
    with open_input(model_in) as stream:
        mixture = Mixtures.read_single(stream, read_header(stream))
    return write_selection(
        options,
        lambda part: mixture.gaussian_log_likelihoods(part, slice(None)).T,
        mixture.num_gaussians,
        feats,
        wspecifier,
    )


main = command(gmm_gselect, usage=USAGE)

if __name__ == "__main__":
    main()
