"""nnet-pytorch-compile-graph: twin of compile-graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.epsilon_removal import remove_epsilons_local
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.graphs.decoding_graph import context_graph, hmm_graph
from kaldi_bridge.graphs.grammar_fst import prepared
from kaldi_bridge.graphs.nonterminals import Nonterminals
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import read_tree
from kaldi_bridge.io.integer_sets import read_integers
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.lang.lexicon_grammar import lexicon_and_grammar

USAGE = """Creates HCLG decoding graph, as mkgraph.sh does.
Usage: nnet-pytorch-compile-graph [options] <tree-in> <model-in> <lexicon-fst-in> <grammar-rxfilename> <hclg-wxfilename>
e.g.: nnet-pytorch-compile-graph --read-disambig-syms=disambig.int tree 1.mdl L_disambig.fst G.fst HCLG.fst"""


@dataclass
class Options:
    """Options of compile-graph."""

    read_disambig_syms: str = option("", "File containing list of disambiguation symbols in phone symbol table")
    transition_scale: float = option(1.0, "Scale of transition probabilities (excluding self-loops).")
    self_loop_scale: float = option(1.0, "Scale of self-loop probability mass; the default of mkgraph.sh is 0.1.")
    nonterm_phones_offset: int = option(-1, "Integer id of #nonterm_bos in phones.txt, for grammars of several graphs")


def compile_graph(options: Options, tree_in: str, model_in: str, lexicon: str, grammar: str, hclg: str) -> None:
    tree, model = read_tree(tree_in), read_transition_model(model_in)
    disambig = sorted(set(read_integers(options.read_disambig_syms))) if options.read_disambig_syms else []
    if not disambig:
        log.warning("You supplied no disambiguation symbols: graphs of L_disambig.fst need --read-disambig-syms")
    shared = np.intersect1d(disambig, model.topology.phones)
    if len(shared):
        raise KaldiError(f"Disambiguation symbol {shared[0]} is also a phone.")
    offset = options.nonterm_phones_offset
    nonterminals = Nonterminals(offset) if offset >= 0 else None
    words = lexicon_and_grammar(read_fst(lexicon), read_fst(grammar))
    graph, labels = context_graph(words, tree, disambig, nonterminals)
    scales = options.transition_scale, options.self_loop_scale
    # Unlike utils/mkgraph.sh, whose fstrmepslocal keeps the sums of the probabilities out of the states.
    remove_epsilons = partial(remove_epsilons_local, stochastic_in_log=False)
    graph, _ = hmm_graph(
        graph, labels, tree, model, *scales, nonterminals=nonterminals, remove_epsilons=remove_epsilons
    )
    if nonterminals is not None:
        graph = prepared(graph, offset)
    with open_output(hclg) as stream:
        graph.write(stream, "const")
    log.info(f"Wrote graph with {graph.num_states} states to {hclg}")


main = command(compile_graph, usage=USAGE)

if __name__ == "__main__":
    main()
