"""nnet-pytorch-gmm-latgen-map: twin of gmm-latgen-map."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.gmm.latgen import latgen_of_speakers
from kaldi_bridge.lattices.generation import LatticeOptions

USAGE = """Generate lattices with a GMM-based model of each speaker, as gmm-adapt-map makes them.
Usage: nnet-pytorch-gmm-latgen-map [options] <model-in> <gmms-rspecifier> <fst-in|fsts-rspecifier> \\
    <features-rspecifier> <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]
Of <model-in> only the transition model is used."""


@dataclass
class Options(LatticeOptions):
    """Options of gmm-latgen-map."""

    allow_partial: bool = option(True, "Produce output even when final state was not reached")
    utt2spk: str = option("", "Rspecifier of the map from utterance to speaker")
    binary: bool = without_effect(True, "Wspecifiers say it: ark,t for text")


def gmm_latgen_map(
    options: Options,
    model_in: str,
    gmms_rspecifier: str,
    fst_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    return latgen_of_speakers(options, options.utt2spk, model_in, gmms_rspecifier, fst_in, *tables)


main = command(gmm_latgen_map, usage=USAGE)

if __name__ == "__main__":
    main()
