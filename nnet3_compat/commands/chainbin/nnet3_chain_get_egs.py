"""nnet-pytorch-chain-get-egs: twin of nnet3-chain-get-egs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import RAW_CHAIN_EXAMPLE
from kaldi_bridge.examples.cutting import PACKED_MATRIX
from kaldi_bridge.examples.supervision import SUPERVISION
from kaldi_bridge.examples.utterance_splitting import UtteranceSplitter
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.tables import SequentialReader, TableWriter
from nnet3_compat.chain.example_making import ExampleMaker, Utterance
from nnet3_compat.chain.normalization import read_normalization_fst
from nnet3_compat.examples.utterance_sources import ExampleOptions, UtteranceSources

USAGE = """Make chain examples: cut features and supervisions of utterances into chunks.
Without the normalization FST, they need nnet-pytorch-chain-normalize-egs before training.
Usage: nnet-pytorch-chain-get-egs [options] [<normalization-fst>] <features-rspecifier> <chain-supervision-rspecifier>
 <egs-wspecifier>
e.g.: nnet-pytorch-chain-get-egs --left-context=25 --right-context=9 --num-frames=150,100,90 \\
 --frame-subsampling-factor=3 normalization.fst scp:feats.scp ark,s,cs:- ark:cegs.1.ark"""


@dataclass
class Options(ExampleOptions):
    """Options of nnet3-chain-get-egs."""

    supervision_length_tolerance: int = option(
        1, "By how many frames of the supervision its length may differ from that of features and weights"
    )
    deriv_weights_rspecifier: str = option("", "Rspecifier of weights of derivatives, one for each supervision frame")
    normalization_fst_scale: float = option(1.0, "Scale of the weights of the normalization FST")
    transition_model: str = option(
        "", "Transition model, for flat-start examples of supervisions made with --convert-to-pdfs=false"
    )
    long_key: bool = option(False, "Keys tell the contexts too")


def chain_get_egs(options: Options, first: str, second: str, third: str, fourth: str | None = None) -> int:
    fst_in, features, supervisions, egs = (
        ("", first, second, third) if fourth is None else (first, second, third, fourth)
    )
    normalization = None
    if fst_in:
        if options.normalization_fst_scale <= 0.0:
            raise KaldiError("Invalid scale on normalization FST; must be > 0.0")
        normalization = read_normalization_fst(fst_in, options.normalization_fst_scale)
    model = read_transition_model(options.transition_model) if options.transition_model else None
    random = CRandom(options.srand)
    splitter = UtteranceSplitter(options, random)
    maker = ExampleMaker(
        splitter, random, normalization, model, options.compress, options.long_key, options.supervision_length_tolerance
    )
    num_bad = 0
    with ExitStack() as stack:
        sources = UtteranceSources(stack, options, supervisions, SUPERVISION, options.deriv_weights_rspecifier)
        writer = stack.enter_context(TableWriter(egs, RAW_CHAIN_EXAMPLE))
        for key, matrix in stack.enter_context(SequentialReader(features, PACKED_MATRIX)):
            found = sources.find(key, matrix.rows)
            examples = b""
            if found is not None:
                period = options.online_ivector_period
                utterance = Utterance(key, matrix, found.target, found.ivectors, period, found.weights)
                examples = maker.make(utterance)
            if examples:
                writer.write_packed([key], examples)
            else:
                num_bad += 1
    if num_bad:
        log.warning(f"{num_bad} utterances had errors and could not be processed.")
    return 0 if splitter.report() else 1


main = command(chain_get_egs, usage=USAGE)

if __name__ == "__main__":
    main()
