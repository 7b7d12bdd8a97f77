"""nnet-pytorch-compile-train-graphs-without-lexicon: twin of compile-train-graphs-without-lexicon."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.graphs.training_graphs import TrainingGraphOptions, TrainingGraphs, spoken_once
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import read_tree
from kaldi_bridge.io.integer_sets import read_sets
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Create training graphs of words with given phones: those of the first word of utt have the key utt.0, of
the second one utt.1, and so on. Phone 1 is silence, which may be between words.
Usage: nnet-pytorch-compile-train-graphs-without-lexicon [options] <tree-in> <model-in> <words-rspecifier>
 <phones-rspecifier> <graphs-wspecifier>
e.g.: nnet-pytorch-compile-train-graphs-without-lexicon --read-disambig-syms=disambig.int tree 1.mdl ark:text.int
 ark:text-phone.int ark:graphs.fsts"""
SILENCE = 1


@dataclass
class Options(TrainingGraphOptions):
    """Options of compile-train-graphs-without-lexicon."""

    read_disambig_syms: str = option("", "File of disambiguation symbols in the phone symbol table")


def compile_train_graphs_without_lexicon(
    options: Options, tree_in: str, model_in: str, words_rspecifier: str, phones_rspecifier: str, wspecifier: str
) -> int:
    disambig = [s for line in read_sets(options.read_disambig_syms) for s in line] if options.read_disambig_syms else []
    graphs = TrainingGraphs(None, read_tree(tree_in), read_transition_model(model_in), disambig, options)
    pronunciations = dict(SequentialReader(phones_rspecifier, INT32_VECTOR))
    loop = TableLoop()
    with SequentialReader(words_rspecifier, INT32_VECTOR) as reader, TableWriter(wspecifier, FST) as writer:
        for utterance, words in reader:
            keys = [f"{utterance}.{position}" for position in range(len(words))]
            missing = [key for key in keys if key not in pronunciations]
            if missing:
                raise KaldiError(f"No lexicon item: {missing[0]}")
            with loop.entry(utterance, f"Empty decoding graph for utterance {utterance}"):
                phones = spoken_once(words, [pronunciations[key] for key in keys], SILENCE)
                writer.write(utterance, graphs.of_phones(phones))
    log.info(f"compile-train-graphs: succeeded for {loop.done} graphs, failed for {loop.failed}")
    return loop.status


main = command(compile_train_graphs_without_lexicon, usage=USAGE)

if __name__ == "__main__":
    main()
