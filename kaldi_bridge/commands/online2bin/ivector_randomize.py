"""nnet-pytorch-ivector-randomize: twin of ivector-randomize."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.ivectors.randomization import randomized
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Replace online i-vectors, at random, by later ones of the same utterance: for training.
Usage: nnet-pytorch-ivector-randomize [options] <ivector-rspecifier> <ivector-wspecifier>
e.g.: nnet-pytorch-ivector-randomize ark:- ark:-"""


@dataclass
class Options:
    """Options of ivector-randomize."""

    srand: int = option(0, "Seed of the random numbers")
    randomize_prob: float = option(0.5, "Probability with which a row is replaced")


def ivector_randomize(options: Options, source: str, target: str) -> int:
    if not 0 <= options.randomize_prob <= 1:
        raise KaldiError(f"--randomize-prob={options.randomize_prob:g} must be between 0 and 1")
    random, done = CRandom(options.srand), 0
    with SequentialReader(source, FLOAT_MATRIX) as reader, TableWriter(target, FLOAT_MATRIX) as writer:
        for utterance, ivectors in reader:
            writer.write(utterance, randomized(ivectors, options.randomize_prob, random))
            done += 1
    log.info(f"Randomized {done} iVectors.")
    return 0 if done else 1


main = command(ivector_randomize, usage=USAGE)

if __name__ == "__main__":
    main()
