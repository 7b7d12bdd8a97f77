"""nnet-pytorch-paste-post: twin of paste-post."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.posterior import pasted
from kaldi_bridge.io.integer_sets import split_integers
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32, SPARSE_POSTERIOR

USAGE = """Paste posteriors: the targets of a network with several softmaxes. The indexes of each table come after those
of the tables before it; <dims> says how many each has.
Usage: nnet-pytorch-paste-post [options] <featlen-rspecifier> <dims> <post1-rspecifier> <post2-rspecifier> ...
 <post-wspecifier>
e.g.: nnet-pytorch-paste-post 'ark:nnet-pytorch-feat-to-len scp:feats.scp ark:- |' 1029:1124 ark:1.post ark:2.post \\
 ark:both.post"""


@dataclass
class Options:
    """Options of paste-post."""

    allow_partial: bool = option(False, "Produce output also when the utterance is not in all input streams")


def paste_post(options: Options, lengths: str, dims_in: str, first: str, second: str, target: str, *more: str) -> int:
    rspecifiers = [first, second, target, *more]
    wspecifier = rspecifiers.pop()
    dims = split_integers(dims_in.replace(",", ":"), "dimensions of the tables")
    if len(dims) != len(rspecifiers):
        raise KaldiError(f"{len(rspecifiers)} tables of posteriors, but {dims_in} has {len(dims)} dimensions")
    done = failed = empty = 0
    with ExitStack() as stack:
        tables = [stack.enter_context(RandomAccessReader(name, SPARSE_POSTERIOR)) for name in rspecifiers]
        reader = stack.enter_context(SequentialReader(lengths, INT32))
        writer = stack.enter_context(TableWriter(wspecifier, SPARSE_POSTERIOR))
        for utterance, num_frames in reader:
            parts = []
            for number, table in enumerate(tables, 1):
                parts.append(table.get(utterance))
                if parts[-1] is None and not options.allow_partial:
                    log.warning(f"No such utterance {utterance} in set {number} of posteriors.")
                    break
            if all(part is None for part in parts):
                log.warning(f"Utterance with no posteriors {utterance}, discarding")
                empty += 1
            elif parts[-1] is None and not options.allow_partial:
                failed += 1
            else:
                with within(f"utterance {utterance}"):
                    writer.write(utterance, pasted(parts, dims, num_frames))
                done += 1
    log.info(f"Pasted posteriors for {done} sentences, missing sentences {empty}, failed for {failed}")
    return 0 if done else 1


main = command(paste_post, usage=USAGE)

if __name__ == "__main__":
    main()
