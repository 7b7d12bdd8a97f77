"""nnet-pytorch-chain-e2e-get-egs: twin of nnet3-chain-e2e-get-egs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command
from kaldi_bridge.examples.chain_examples import RAW_CHAIN_EXAMPLE
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop
from nnet3_compat.chain.flat_start import FlatStartMaker
from nnet3_compat.chain.normalization import read_normalization_fst
from nnet3_compat.examples.utterance_sources import ExampleOptions, UtteranceSources

USAGE = """Make chain examples for flat-start training: whole utterances, with their training graphs as supervisions.
Without the normalization FST, they need nnet-pytorch-chain-normalize-egs before training.
Usage: nnet-pytorch-chain-e2e-get-egs [options] [<normalization-fst>] <features-rspecifier> <fst-rspecifier>
 <trans-model> <egs-wspecifier>
e.g.: nnet-pytorch-chain-e2e-get-egs --left-context=25 --right-context=9 --num-frames=150,165,182 \\
 --frame-subsampling-factor=3 normalization.fst scp:feats.scp ark,s,cs:- 0.trans_mdl ark:cegs.1.ark"""


@dataclass
class Options(ExampleOptions):
    """Options of nnet3-chain-e2e-get-egs."""


def chain_e2e_get_egs(
    options: Options, first: str, second: str, third: str, fourth: str, fifth: str | None = None
) -> None:
    fst_in, features, graphs_in, model_in, egs = (
        ("", first, second, third, fourth) if fifth is None else (first, second, third, fourth, fifth)
    )
    normalization = read_normalization_fst(fst_in, 1.0) if fst_in else None
    model, loop = read_transition_model(model_in), TableLoop(graphs_in)
    period = options.online_ivector_period
    maker = FlatStartMaker(options, CRandom(options.srand), model, normalization, options.compress)
    with ExitStack() as stack:
        matrices = stack.enter_context(RandomAccessReader(features, FLOAT_MATRIX))
        ivectors = UtteranceSources(stack, options, "", FLOAT_MATRIX)
        graphs = stack.enter_context(SequentialReader(graphs_in, FST))
        writer = stack.enter_context(TableWriter(egs, RAW_CHAIN_EXAMPLE))
        for key, graph in graphs:
            if key not in matrices:
                loop.fail(f"No features for utterance {key}")
            elif (found := ivectors.find(key, len(matrices[key]))) is None:
                loop.failed += 1
            else:
                with loop.entry(key):
                    writer.write(key, maker.make(key, matrices[key], graph, found.ivectors, period))
    if loop.failed:
        log.warning(f"{loop.failed} utterances had errors and could not be processed.")


main = command(chain_e2e_get_egs, usage=USAGE)

if __name__ == "__main__":
    main()
