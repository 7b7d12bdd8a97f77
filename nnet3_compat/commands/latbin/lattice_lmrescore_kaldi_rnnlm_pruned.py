"""nnet-pytorch-lattice-lmrescore-kaldi-rnnlm-pruned: twin of lattice-lmrescore-kaldi-rnnlm-pruned."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.lang.const_arpa import read_const_arpa
from kaldi_bridge.lattices.rescoring import PrunedRescorer
from kaldi_bridge.lattices.rescoring_program import HistoryOptions, PrunedRescoreOptions, rescore_table_pruned
from nnet3_compat.rnnlm.model import read_rnnlm
from nnet3_compat.rnnlm.rescoring import RnnlmCosts, RnnlmOptions

AT_ONCE = 16  # lattices: the search of each asks for a few histories at a time

USAGE = """Take a language model's costs away from lattices and add a recurrent one's, for the paths that are best then.
Called by Kaldi's scripts/rnnlm/lmrescore_pruned.sh.
Usage: nnet-pytorch-lattice-lmrescore-kaldi-rnnlm-pruned [options] <old-lm-rxfilename> <embedding-file> \\
    <raw-rnnlm-rxfilename> <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-lmrescore-kaldi-rnnlm-pruned --lm-scale=0.5 --bos-symbol=1 --eos-symbol=2 \\
    data/lang_test/G.fst word_embedding.mat final.raw ark:in.lats ark:out.lats
or:   nnet-pytorch-lattice-lmrescore-kaldi-rnnlm-pruned --use-const-arpa=true --bos-symbol=1 --eos-symbol=2 \\
    data/lang_test_fg/G.carpa word_embedding.mat final.raw ark:in.lats ark:out.lats"""


@dataclass
class Options(PrunedRescoreOptions, HistoryOptions, RnnlmOptions):
    """Options of lattice-lmrescore-kaldi-rnnlm-pruned."""

    lm_scale: float = option(0.5, "Scaling factor of the new costs; its negative is that of the old ones")
    acoustic_scale: float = option(
        0.1,
        "Scaling factor for acoustic likelihoods (1.0 for chain models): which paths are best depends on it",
    )
    use_const_arpa: bool = option(False, "If true, the old model is in ConstArpaLm form, if false an FST")


def lattice_lmrescore_kaldi_rnnlm_pruned(
    options: Options,
    old_lm_rxfilename: str,
    embedding_file: str,
    raw_rnnlm_rxfilename: str,
    lattice_rspecifier: str,
    lattice_wspecifier: str,
) -> int:
    options.check_symbols()
    log.info("Reading old LMs...")
    old = read_const_arpa(old_lm_rxfilename) if options.use_const_arpa else read_fst(old_lm_rxfilename)
    rnnlm = read_rnnlm(raw_rnnlm_rxfilename, embedding_file)
    new = RnnlmCosts(rnnlm, options.bos_symbol, options.eos_symbol, options.normalize_probs, together=True)
    rescorer = PrunedRescorer(old, new, options.lm_scale, options, options.max_ngram_order)
    assert new.together is not None
    rescored = new.together.within_search(rescorer.rescored)
    return rescore_table_pruned(lattice_rspecifier, lattice_wspecifier, options.acoustic_scale, rescored, AT_ONCE)


main = command(lattice_lmrescore_kaldi_rnnlm_pruned, usage=USAGE)

if __name__ == "__main__":
    main()
