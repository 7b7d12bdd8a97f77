"""nnet-pytorch-sum-post: twin of sum-post."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.hmm.posterior import merged, scaled
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import SPARSE_POSTERIOR

USAGE = """Sum two sets of posteriors for each utterance; with --scale2=-1.0, their difference.
Usage: nnet-pytorch-sum-post <post-rspecifier1> <post-rspecifier2> <post-wspecifier>
e.g.: nnet-pytorch-sum-post ark:1.post ark:2.post ark:sum.post"""


@dataclass
class Options:
    """Options of sum-post."""

    scale1: float = option(1.0, "Scale for first set of posteriors")
    scale2: float = option(1.0, "Scale for second set of posteriors")
    merge: bool = option(True, "Merge entries of the same transition-id (canceling positive and negative parts)")
    drop_frames: bool = option(False, "Empty the frames in which the two sets have no transition-id in common")
    zero_if_disjoint: bool = option(False, "The former name of --drop-frames")


def sum_post(options: Options, first: str, second: str, wspecifier: str) -> int:
    done = errors = frames = disjoint = 0
    with (
        SequentialReader(first, SPARSE_POSTERIOR) as reader,
        RandomAccessReader(second, SPARSE_POSTERIOR) as others,
        TableWriter(wspecifier, SPARSE_POSTERIOR) as writer,
    ):
        for utterance, posterior in reader:
            if utterance not in others:
                log.warning(f"Second set of posteriors has nothing for key {utterance}, producing no output.")
                errors += 1
                continue
            other = others[utterance]
            if len(other) != len(posterior):
                log.warning(f"Posteriors have mismatched sizes {len(posterior)} vs. {len(other)} for key {utterance}")
                errors += 1
                continue
            both = scaled(posterior, options.scale1), scaled(other, options.scale2)
            total, apart = merged(*both, options.merge, options.drop_frames or options.zero_if_disjoint)
            writer.write(utterance, total)
            frames += len(posterior)
            disjoint += apart
            done += 1
    share = disjoint * 100.0 / frames if frames else float("nan")
    log.info(
        f"Processed {frames} frames; for {disjoint} frames there was no overlap, i.e. {share:g}% (e.g. numerator path "
        "not in denominator lattice)"
    )
    log.info(f"Done adding {done} posteriors;  {errors} with errors.")
    return 0 if done else 1


main = command(sum_post, usage=USAGE)

if __name__ == "__main__":
    main()
