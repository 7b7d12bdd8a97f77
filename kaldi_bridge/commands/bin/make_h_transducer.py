"""nnet-pytorch-make-h-transducer: twin of make-h-transducer."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.fsts.fst import write_fst
from kaldi_bridge.graphs.h_transducer import Hmms, h_transducer
from kaldi_bridge.graphs.nonterminals import Nonterminals
from kaldi_bridge.graphs.window_labels import read_labels
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import read_tree
from kaldi_bridge.io.integer_sets import write_integers

USAGE = """Make H transducer from transition-ids to context-dependent phones,
without self-loops [use add-self-loops to add them]
Usage: nnet-pytorch-make-h-transducer <ilabel-info-file> <tree-file> <transition-gmm/acoustic-model> [<H-fst-out>]
e.g.: nnet-pytorch-make-h-transducer ilabel_info 1.tree 1.mdl > H.fst"""


@dataclass
class Options:
    """Options of make-h-transducer."""

    transition_scale: float = option(1.0, "Scale of transition probs (relative to LM)")
    nonterm_phones_offset: int = option(-1, "Integer id of #nonterm_bos in phones.txt, for grammars of several graphs")
    disambig_syms_out: str = option("", "File for the list of disambiguation symbols on the input side of H")


def make_h_transducer(options: Options, ilabels: str, tree: str, model: str, fst_out: str = "") -> None:
    labels = read_labels(ilabels)
    hmms = Hmms(read_tree(tree), read_transition_model(model), options.transition_scale)
    offset = options.nonterm_phones_offset
    fst, disambig = h_transducer(labels, hmms, Nonterminals(offset) if offset > 0 else None)
    if options.disambig_syms_out:
        write_integers(options.disambig_syms_out, disambig)
    write_fst(fst_out, fst)


main = command(make_h_transducer, usage=USAGE)

if __name__ == "__main__":
    main()
