"""nnet-pytorch-ali-to-post: twin of ali-to-post."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR, SPARSE_POSTERIOR
from kaldi_bridge.tables.integer_batches import integer_batches

USAGE = """Convert alignments, of transition-ids or pdf-ids, to posteriors, all of which are 1.
Usage: nnet-pytorch-ali-to-post [options] <alignments-rspecifier> <posteriors-wspecifier>
e.g.: nnet-pytorch-ali-to-post ark:1.ali ark:1.post"""


@dataclass
class Options:
    """No options of its own."""


def ali_to_post(options: Options, alignments: str, posteriors: str) -> int:
    done = 0
    with SequentialReader(alignments, INT32_VECTOR) as reader, TableWriter(posteriors, SPARSE_POSTERIOR) as writer:
        for batch in integer_batches(reader):
            writer.write_packed(batch.keys, batch.packed_posteriors())
            done += len(batch.keys)
    log.info(f"Converted {done} alignments.")
    return 0 if done else 1


main = command(ali_to_post, usage=USAGE)

if __name__ == "__main__":
    main()
