"""nnet-pytorch-post-to-weights: twin of post-to-weights."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.hmm.posterior import total
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_VECTOR, SPARSE_POSTERIOR

USAGE = """Turn posteriors into a weight for each frame, their sum.
Usage: nnet-pytorch-post-to-weights <post-rspecifier> <weights-wspecifier>
e.g.: nnet-pytorch-post-to-weights ark:1.post ark:weights.ark"""


@dataclass
class Options:
    """No options of its own."""


def post_to_weights(options: Options, posteriors: str, wspecifier: str) -> int:
    done = 0
    with SequentialReader(posteriors, SPARSE_POSTERIOR) as reader, TableWriter(wspecifier, FLOAT_VECTOR) as writer:
        for utterance, posterior in reader:
            writer.write(utterance, total(posterior))
            done += 1
    log.info(f"Done converting {done} posteriors to weights.")
    return 0 if done else 1


main = command(post_to_weights, usage=USAGE)

if __name__ == "__main__":
    main()
