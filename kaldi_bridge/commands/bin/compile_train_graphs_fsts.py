"""nnet-pytorch-compile-train-graphs-fsts: twin of compile-train-graphs-fsts."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.fsts.fst import FST, read_fst
from kaldi_bridge.graphs.training_graphs import TrainingGraphOptions, TrainingGraphs
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import read_tree
from kaldi_bridge.io.integer_sets import read_sets
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Create training graphs (without transition probabilities, by default) from a grammar per utterance: an FST
of words, with costs. The lexicon should have disambiguation symbols, and --read-disambig-syms list them.
Usage: nnet-pytorch-compile-train-graphs-fsts [options] <tree-in> <model-in> <lexicon-fst-in> <graphs-rspecifier>
 <graphs-wspecifier>
e.g.: nnet-pytorch-compile-train-graphs-fsts --read-disambig-syms=disambig.int tree 1.mdl L_disambig.fst ark:train.fsts
 ark:graphs.fsts"""


@dataclass
class Options(TrainingGraphOptions):
    """Options of compile-train-graphs-fsts."""

    read_disambig_syms: str = option("", "File of disambiguation symbols in the phone symbol table")
    batch_size: int = without_effect(250, "Graphs are compiled one at a time")


def compile_train_graphs_fsts(
    options: Options, tree_in: str, model_in: str, lexicon_in: str, grammars: str, wspecifier: str
) -> None:
    disambig = [s for line in read_sets(options.read_disambig_syms) for s in line] if options.read_disambig_syms else []
    if not disambig:
        log.warning("No disambiguation symbols: graphs of FSTs usually need L_disambig.fst and --read-disambig-syms")
    tree, model = read_tree(tree_in), read_transition_model(model_in)
    graphs = TrainingGraphs(read_fst(lexicon_in), tree, model, disambig, options)
    loop = TableLoop()
    with SequentialReader(grammars, FST) as reader, TableWriter(wspecifier, FST) as writer:
        for utterance, grammar in reader:
            with loop.entry(utterance, f"Empty decoding graph for utterance {utterance}"):
                writer.write(utterance, graphs.of_grammar(grammar))
    log.info(f"compile-train-graphs: succeeded for {loop.done} graphs, failed for {loop.failed}")


main = command(compile_train_graphs_fsts, usage=USAGE)

if __name__ == "__main__":
    main()
