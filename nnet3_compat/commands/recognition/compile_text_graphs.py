"""nnet-pytorch-compile-text-graphs: training graphs out of the graph that a model is decoded with."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import read_rows
from kaldi_bridge.lattices.graph_files import graph_of_all_words, graph_words
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.loop import TableLoop
from nnet3_compat.alignment.graphs import TrimmedGraphs
from nnet3_compat.alignment.vocabulary import Vocabulary

USAGE = """Create training graphs of transcripts, for a model that comes without lexicon and tree: those ways through
the graph that it is decoded with (HCLG.fst, or HCLr.fst and Gr.fst) which say the transcript, with their costs.
Usage: nnet-pytorch-compile-text-graphs [options] <graph-dir> <model-in> <text> <graphs-wspecifier>
e.g.: nnet-pytorch-compile-text-graphs vosk-model/graph vosk-model/am/final.mdl data/train/text ark:graphs.fsts"""


@dataclass
class Options:
    """Options of nnet-pytorch-compile-text-graphs."""

    unknown_word: str = option("", "Word that stands for those that the graph lacks; default: <unk>, where it is there")


def compile_text_graphs(options: Options, graph_dir: str, model_in: str, text_in: str, wspecifier: str) -> int:
    texts = {utterance: words(said) for utterance, said in read_rows(text_in).items()}
    fst, symbols = graph_of_all_words(Path(graph_dir))
    said_by_graph = set(np.unique(fst.arcs["olabel"]).tolist())
    vocabulary = Vocabulary(graph_words(Path(graph_dir), symbols).only(said_by_graph), options.unknown_word)
    said = vocabulary.numbers_of(chain.from_iterable(texts.values()))
    graphs = TrimmedGraphs(fst, read_transition_model(model_in), said)
    loop = TableLoop()
    with TableWriter(wspecifier, FST) as writer:
        for utterance, text in texts.items():
            with loop.entry(utterance, f"No graph of what utterance {utterance} says"):
                spoken = vocabulary.spoken(text)
                writer.write(utterance, graphs.fst_of_words([number for _, numbers in spoken for number in numbers]))
    vocabulary.report()
    log.info(f"compile-text-graphs: succeeded for {loop.done} graphs, failed for {loop.failed}")
    return loop.status


main = command(compile_text_graphs, usage=USAGE)

if __name__ == "__main__":
    main()
