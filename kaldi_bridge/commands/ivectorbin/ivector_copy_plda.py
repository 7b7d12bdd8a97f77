"""nnet-pytorch-ivector-copy-plda: twin of ivector-copy-plda."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.ivectors.plda import read_plda, write_plda
from kaldi_bridge.options import OutputOptions

USAGE = """Copy a PLDA model, and smooth its within-class covariance if asked to.
Usage: nnet-pytorch-ivector-copy-plda [options] <plda-in> <plda-out>
e.g.: nnet-pytorch-ivector-copy-plda --smoothing=0.1 plda plda.smooth0.1"""

NO_IVECTORS = "Of scoring: no i-vector is transformed here, in Kaldi neither"


@dataclass
class Options(OutputOptions):
    """Options of ivector-copy-plda."""

    smoothing: float = option(0.0, "How much of the between-class covariance is added to the within-class one")
    normalize_length: bool = without_effect(True, NO_IVECTORS)
    simple_length_normalization: bool = without_effect(False, NO_IVECTORS)


def ivector_copy_plda(options: Options, plda_in: str, plda_out: str) -> None:
    plda = read_plda(plda_in)
    if options.smoothing:
        plda = plda.smoothed(float(np.float32(options.smoothing)))
    write_plda(plda_out, options.binary, plda)


main = command(ivector_copy_plda, usage=USAGE)

if __name__ == "__main__":
    main()
