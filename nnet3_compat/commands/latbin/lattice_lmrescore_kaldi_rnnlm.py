"""nnet-pytorch-lattice-lmrescore-kaldi-rnnlm: twin of lattice-lmrescore-kaldi-rnnlm."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.rescoring import ModelRescorer
from kaldi_bridge.lattices.rescoring_program import HistoryOptions, RescoreOptions, rescore_table
from nnet3_compat.rnnlm.model import read_rnnlm
from nnet3_compat.rnnlm.rescoring import RnnlmCosts, RnnlmOptions

USAGE = """Add the costs of a recurrent language model to the graph costs of lattices, then determinize them.
Called by Kaldi's scripts/rnnlm/lmrescore.sh.
Usage: nnet-pytorch-lattice-lmrescore-kaldi-rnnlm [options] <embedding-file> <raw-rnnlm-rxfilename> \\
    <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-lmrescore-kaldi-rnnlm --lm-scale=0.5 --bos-symbol=1 --eos-symbol=2 \\
    word_embedding.mat final.raw ark:in.lats ark:out.lats"""


@dataclass
class Options(RescoreOptions, HistoryOptions, RnnlmOptions):
    """Options of lattice-lmrescore-kaldi-rnnlm."""


def lattice_lmrescore_kaldi_rnnlm(
    options: Options,
    embedding_file: str,
    raw_rnnlm_rxfilename: str,
    lattice_rspecifier: str,
    lattice_wspecifier: str,
) -> int:
    options.check_symbols()
    rnnlm = read_rnnlm(raw_rnnlm_rxfilename, embedding_file)
    costs = RnnlmCosts(rnnlm, options.bos_symbol, options.eos_symbol, options.normalize_probs)
    rescorer = ModelRescorer(costs, options.max_ngram_order)
    return rescore_table(lattice_rspecifier, COMPACT_LATTICE, lattice_wspecifier, options.lm_scale, rescorer.rescored)


main = command(lattice_lmrescore_kaldi_rnnlm, usage=USAGE)

if __name__ == "__main__":
    main()
