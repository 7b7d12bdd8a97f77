"""nnet-pytorch-ivector-adapt-plda: twin of ivector-adapt-plda."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.ivectors.plda import read_plda, write_plda
from kaldi_bridge.ivectors.plda_adaptation import PldaAdaptationOptions, adapted
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_VECTOR

USAGE = """Adapt a PLDA model to i-vectors of another domain, whose speakers need not be known.
Usage: nnet-pytorch-ivector-adapt-plda [options] <plda-in> <ivectors-rspecifier> <plda-out>
e.g.: nnet-pytorch-ivector-adapt-plda plda ark:ivectors.ark plda.adapted"""


@dataclass
class Options(OutputOptions, PldaAdaptationOptions):
    """Options of ivector-adapt-plda."""


def ivector_adapt_plda(options: Options, plda_in: str, ivector_rspecifier: str, plda_out: str) -> None:
    plda = read_plda(plda_in)
    ivectors = []
    with SequentialReader(ivector_rspecifier, FLOAT_VECTOR) as reader:
        for utterance, ivector in reader:
            if len(ivector) != plda.dim:
                raise KaldiError(
                    f"{utterance}: an i-vector of dimension {len(ivector)}, but the PLDA model has {plda.dim}"
                )
            ivectors.append(ivector)
    with within(ivector_rspecifier):
        write_plda(plda_out, options.binary, adapted(plda, np.array(ivectors), options))


main = command(ivector_adapt_plda, usage=USAGE)

if __name__ == "__main__":
    main()
