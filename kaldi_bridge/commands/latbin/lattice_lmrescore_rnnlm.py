"""nnet-pytorch-lattice-lmrescore-rnnlm: twin of lattice-lmrescore-rnnlm."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.lang.mikolov_rnnlm import read_mikolov_rnnlm, unknown_penalties, with_labels
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.rescoring import ModelRescorer
from kaldi_bridge.lattices.rescoring_program import HistoryOptions, RescoreOptions, rescore_table
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT

USAGE = """Add the costs of a recurrent language model of Mikolov's toolkit to lattices, then determinize them.
Usage: nnet-pytorch-lattice-lmrescore-rnnlm [options] [<unk-prob-rspecifier>] <word-symbol-table-rxfilename> \\
    <lattice-rspecifier> <rnnlm-rxfilename> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-lmrescore-rnnlm --lm-scale=0.5 words.txt ark:in.lats rnnlm ark:out.lats
<unk-prob-rspecifier> has probabilities of words that the model does not know, e.g. ark:unk.probs."""


@dataclass
class Options(RescoreOptions, HistoryOptions):
    """Options of lattice-lmrescore-rnnlm."""

    unk_symbol: str = option("<RNN_UNK>", "The word of the model that stands for those it does not know")
    eos_symbol: str = option("</s>", "The word of the model that ends sentences")


def lattice_lmrescore_rnnlm(options: Options, first: str, second: str, third: str, fourth: str, fifth: str = "") -> int:
    unk_probs, symbol_table, rspecifier, rnnlm_in, wspecifier = (
        (first, second, third, fourth, fifth) if fifth else ("", first, second, third, fourth)
    )
    probabilities = {}
    if unk_probs:
        with SequentialReader(unk_probs, FLOAT) as entries:
            probabilities = dict(entries)
    penalties = unknown_penalties(probabilities)
    symbols = SymbolTable.read(symbol_table)
    model = with_labels(read_mikolov_rnnlm(rnnlm_in), symbols, options.eos_symbol, options.unk_symbol, penalties)
    rescorer = ModelRescorer(model, options.max_ngram_order)
    return rescore_table(rspecifier, COMPACT_LATTICE, wspecifier, options.lm_scale, rescorer.rescored)


main = command(lattice_lmrescore_rnnlm, usage=USAGE)

if __name__ == "__main__":
    main()
