"""nnet-pytorch-chain-get-egs: twin of nnet3-chain-get-egs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples import num_rows
from kaldi_bridge.holders import FLOAT_MATRIX, FLOAT_VECTOR, GENERAL_MATRIX, Holder
from kaldi_bridge.supervision import SUPERVISION
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.utterance_splitting import ChunkOptions, UtteranceSplitter
from nnet3_compat.chain.example_making import ExampleMaker, Utterance
from nnet3_compat.chain.normalization import read_normalization_fst
from nnet3_compat.model_file import read_transition_model

USAGE = """Make chain examples: cut features and supervisions of utterances into chunks.
Without the normalization FST, they need nnet-pytorch-chain-normalize-egs before training.
Usage: nnet-pytorch-chain-get-egs [options] [<normalization-fst>] <features-rspecifier> <chain-supervision-rspecifier>
 <egs-wspecifier>
e.g.: nnet-pytorch-chain-get-egs --left-context=25 --right-context=9 --num-frames=150,100,90 \\
 --frame-subsampling-factor=3 normalization.fst scp:feats.scp ark,s,cs:- ark:cegs.1.ark"""


@dataclass
class Options(ChunkOptions):
    """Options of nnet3-chain-get-egs."""

    compress: bool = option(True, "Compress features (those that are read compressed stay as they are)")
    ivectors: str = option("", "The same as --online-ivectors")
    online_ivectors: str = option("", "Rspecifier of i-vectors as matrices")
    online_ivector_period: int = option(1, "Frames between the rows of --online-ivectors")
    srand: int = option(0, "Seed for random number generator")
    length_tolerance: int = option(100, "By how many frames features and i-vectors may differ in length")
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
    random = Random(options.srand)
    splitter = UtteranceSplitter(options, random)
    maker = ExampleMaker(
        splitter, random, normalization, model, options.compress, options.long_key, options.supervision_length_tolerance
    )
    num_bad = 0
    with ExitStack() as stack:
        sources = _Sources(stack, options, supervisions)
        writer = stack.enter_context(TableWriter(egs, CHAIN_EXAMPLE))
        for key, matrix in stack.enter_context(SequentialReader(features, GENERAL_MATRIX)):
            utterance = sources.utterance(key, matrix)
            made = 0
            for name, example in () if utterance is None else maker.make(utterance):
                writer.write(name, example)
                made += 1
            num_bad += made == 0
    if num_bad:
        log.warning(f"{num_bad} utterances had errors and could not be processed.")
    return 0 if splitter.report() else 1


class _Sources:
    """What belongs to the features of an utterance."""

    def __init__(self, stack: ExitStack, options: Options, supervisions: str) -> None:
        def reader(rspecifier: str, holder: Holder[Any]) -> RandomAccessReader[Any] | None:
            return stack.enter_context(RandomAccessReader(rspecifier, holder)) if rspecifier else None

        self._options = options
        self._supervisions = reader(supervisions, SUPERVISION)
        self._ivectors = reader(options.online_ivectors or options.ivectors, FLOAT_MATRIX)
        self._weights = reader(options.deriv_weights_rspecifier, FLOAT_VECTOR)

    def utterance(self, key: str, features: Any) -> Utterance | None:
        """None, and a warning, where something is missing."""
        parts = (
            ("pdf-level posterior", self._supervisions),
            ("iVectors", self._ivectors),
            ("deriv weights", self._weights),
        )
        for name, table in parts:
            if table is not None and key not in table:
                log.warning(f"No {name} for utterance {key}")
                return None
        values: list[Any] = [None if table is None else table[key] for _, table in parts]
        supervision, ivectors, weights = values
        period = self._options.online_ivector_period
        if ivectors is not None:
            difference = abs(num_rows(features) - len(ivectors) * period)
            if difference > self._options.length_tolerance or not len(ivectors):
                log.warning(
                    f"Length difference between feats {num_rows(features)} and iVectors {len(ivectors)} exceeds "
                    f"tolerance {self._options.length_tolerance}, utterance {key}"
                )
                return None
        return Utterance(key, features, supervision, ivectors, period, weights)


main = command(chain_get_egs, usage=USAGE)

if __name__ == "__main__":
    main()
