"""nnet-pytorch-compare-feats: twin of compare-feats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.comparison import Comparison
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Tell how alike two sets of features are, for each dimension and on average: 1 where they are identical.
Usage: nnet-pytorch-compare-feats [options] <in-rspecifier1> <in-rspecifier2>
e.g.: nnet-pytorch-compare-feats ark:1.ark ark:2.ark"""


@dataclass
class Options:
    """Options of compare-feats."""

    threshold: float = option(0.99, "Average from which on they are alike, which is the exit status")


def compare_feats(options: Options, rspecifier: str, other_rspecifier: str) -> int:
    loop, comparison = TableLoop(), Comparison()
    with (
        SequentialReader(rspecifier, FLOAT_MATRIX) as reader,
        RandomAccessReader(other_rspecifier, FLOAT_MATRIX) as others,
    ):
        for utterance, feats in reader:
            with loop.entry(utterance):
                if utterance not in others:
                    raise EntryError(f"Second table has no feature for utterance {utterance}")
                comparison.add(feats, others[utterance], utterance)
    for what, sums in (
        ("self-product of 1st features for each column dimension", comparison.first),
        ("self-product of 2nd features for each column dimension", comparison.second),
        ("cross-product for each column dimension", comparison.cross),
    ):
        log.info(f"{what}: {_shown(sums)}")
    meaning = "(1.0 means identical, the smaller the more different)"
    similarity = comparison.similarity
    overall = float(similarity.mean()) if len(similarity) else float("nan")
    log.info(f"Similarity metric for each dimension {_shown(similarity)} {meaning}")
    log.info(f"Overall similarity for the two feats is:{overall:g} {meaning}")
    log.info(f"Processed {loop.done} feature files, {loop.failed} had errors.")
    threshold = float(np.float32(options.threshold))
    alike = overall >= threshold
    if loop.done:
        verdict = f"similar since {overall:g} >= " if alike else f"dissimilar since {overall:g} < "
        log.info(f"Features are considered {verdict}{options.threshold:g}")
    return 0 if loop.done and alike else 1


def _shown(vector: np.ndarray) -> str:
    return " [ " + "".join(f"{value:g} " for value in vector) + "]"


main = command(compare_feats, usage=USAGE)

if __name__ == "__main__":
    main()
