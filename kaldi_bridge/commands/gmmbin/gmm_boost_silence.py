"""nnet-pytorch-gmm-boost-silence: twin of gmm-boost-silence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.io.integer_sets import split_integers
from kaldi_bridge.options import OutputOptions

USAGE = """Multiply the likelihoods of phones, such as silences, by a factor: the weights of their pdfs' Gaussians.
Usage: nnet-pytorch-gmm-boost-silence [options] <silence-phones-list> <model-in> <model-out>
e.g.: nnet-pytorch-gmm-boost-silence --boost=1.5 1:2:3 1.mdl 1_boostsil.mdl"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-boost-silence."""

    boost: float = option(1.5, "Factor by which to boost silence probs")


def gmm_boost_silence(options: Options, phones: str, model_in: str, model_out: str) -> None:
    silence = split_integers(phones, "silence phones")
    if not silence:
        log.warning("gmm-boost-silence: no silence phones specified, doing nothing.")
    model = AcousticModel.read(model_in)
    is_silence = np.isin(model.transitions.tuples[:, 0], silence)
    pdfs = np.unique(model.transitions.tuples[is_silence, 2:])
    if np.isin(model.transitions.tuples[~is_silence, 2:], pdfs).any():
        log.warning("The pdfs for the silence phones may be shared by other phones (this probably does not matter.)")
    model.mixtures = model.mixtures.boosted(pdfs, options.boost)
    log.info(f"Boosted weights for {len(pdfs)} pdfs, by factor of {options.boost:g}")
    model.write(model_out, options.binary)
    log.info(f"Wrote model to {model_out}")


main = command(gmm_boost_silence, usage=USAGE)

if __name__ == "__main__":
    main()
