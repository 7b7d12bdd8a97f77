"""nnet-pytorch-gmm-align: twin of gmm-align."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.front_end import FrontEndOptions, processed
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.graph_scoring import scored
from kaldi_bridge.graphs.training_graphs import TrainingGraphOptions, TrainingGraphs
from kaldi_bridge.hmm.tree import read_tree
from kaldi_bridge.io.integer_sets import read_sets
from kaldi_bridge.lattices.alignment import Aligner, AlignOptions
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import INT32_VECTOR

USAGE = """Align features given a GMM-based model and transcriptions.
Usage: nnet-pytorch-gmm-align [options] <tree-in> <model-in> <lexicon-fst-in> <features-rspecifier>
 <transcriptions-rspecifier> <alignments-wspecifier>
e.g.: nnet-pytorch-gmm-align tree 1.mdl lex.fst scp:train.scp 'ark:sym2int.pl -f 2- words.txt text|' ark:1.ali"""


@dataclass
class Options(AlignOptions, TrainingGraphOptions, FrontEndOptions):
    """Options of gmm-align."""

    acoustic_scale: float = option(1.0, "Scaling factor for acoustic likelihoods")
    read_disambig_syms: str = option("", "File of disambiguation symbols in the phone symbol table")


def gmm_align(
    options: Options, tree_in: str, model_in: str, lexicon_in: str, feats: str, transcripts: str, wspecifier: str
) -> int:
    model = AcousticModel.read(model_in)
    disambig = read_sets(options.read_disambig_syms) if options.read_disambig_syms else []
    # Costs of transitions are added by the aligner.
    compiled = TrainingGraphOptions(0.0, 0.0, options.reorder, options.rm_eps)
    symbols = [symbol for line in disambig for symbol in line]
    graphs = TrainingGraphs(read_fst(lexicon_in), read_tree(tree_in), model.transitions, symbols, compiled)
    with (
        RandomAccessReader(transcripts, INT32_VECTOR) as words,
        Aligner(model.transitions, options, options.acoustic_scale, wspecifier, None) as aligner,
    ):
        for utterance, features in processed(options, feats):
            with aligner.loop.entry(utterance):
                if utterance not in words:
                    raise EntryError(f"No transcript found for utterance {utterance}")
                if not len(features):
                    raise EntryError(f"Zero-length features for utterance: {utterance}")
                graph = aligner.prepared(utterance, graphs.of_words(words[utterance]))
                aligner.align(utterance, *scored(model, graph, features))
    return aligner.report()


main = command(gmm_align, usage=USAGE)

if __name__ == "__main__":
    main()
