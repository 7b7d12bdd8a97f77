"""nnet-pytorch-get-post-on-ali: twin of get-post-on-ali."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.hmm.posterior import on_alignment
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_VECTOR, INT32_VECTOR, SPARSE_POSTERIOR

USAGE = """Write the posterior of each index of an alignment, 0 where there is none: how sure a best path is.
Indexes may be of any kind, but of the same in both.
Usage: nnet-pytorch-get-post-on-ali [options] <posteriors-rspecifier> <ali-rspecifier> <weights-wspecifier>
e.g.: nnet-pytorch-get-post-on-ali ark:post.ark ark,s,cs:ali.ark ark:weights.ark"""


@dataclass
class Options:
    """No options of its own."""


def get_post_on_ali(options: Options, posteriors: str, alignments: str, wspecifier: str) -> int:
    done = missing = 0
    with (
        SequentialReader(posteriors, SPARSE_POSTERIOR) as reader,
        RandomAccessReader(alignments, INT32_VECTOR) as aligned,
        TableWriter(wspecifier, FLOAT_VECTOR) as writer,
    ):
        for utterance, posterior in reader:
            if utterance not in aligned:
                missing += 1
                continue
            with within(f"utterance {utterance}"):
                writer.write(utterance, on_alignment(posterior, aligned[utterance]))
            done += 1
    log.info(
        f"Done getting the posteriors under the alignment path for {done} utterances. "
        f"{missing} with missing alignments."
    )
    return 0


main = command(get_post_on_ali, usage=USAGE)

if __name__ == "__main__":
    main()
