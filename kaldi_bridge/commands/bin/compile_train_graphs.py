"""nnet-pytorch-compile-train-graphs: twin of compile-train-graphs."""

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
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Create training graphs (without transition probabilities, by default).
Usage: nnet-pytorch-compile-train-graphs [options] <tree-in> <model-in> <lexicon-fst-in> <transcriptions-rspecifier>
 <graphs-wspecifier>
e.g.: nnet-pytorch-compile-train-graphs tree 1.mdl lex.fst 'ark:sym2int.pl -f 2- words.txt text|' ark:graphs.fsts"""


@dataclass
class Options(TrainingGraphOptions):
    """Options of compile-train-graphs."""

    read_disambig_syms: str = option("", "File of disambiguation symbols in the phone symbol table")
    batch_size: int = without_effect(250, "Graphs are compiled one at a time")


def compile_train_graphs(
    options: Options, tree_in: str, model_in: str, lexicon_in: str, transcripts: str, wspecifier: str
) -> int:
    disambig = read_sets(options.read_disambig_syms) if options.read_disambig_syms else []
    graphs = TrainingGraphs(
        read_fst(lexicon_in),
        read_tree(tree_in),
        read_transition_model(model_in),
        [symbol for line in disambig for symbol in line],
        options,
    )
    loop = TableLoop()
    with SequentialReader(transcripts, INT32_VECTOR) as reader, TableWriter(wspecifier, FST) as writer:
        for utterance, words in reader:
            with loop.entry(utterance, f"Empty decoding graph for utterance {utterance}"):
                writer.write(utterance, graphs.of_words(words))
    log.info(f"compile-train-graphs: succeeded for {loop.done} graphs, failed for {loop.failed}")
    return loop.status


main = command(compile_train_graphs, usage=USAGE)

if __name__ == "__main__":
    main()
