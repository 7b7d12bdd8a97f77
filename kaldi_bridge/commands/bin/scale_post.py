"""nnet-pytorch-scale-post: twin of scale-post."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.hmm.posterior import scaled
from kaldi_bridge.io.text import real_number
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import FLOAT, SPARSE_POSTERIOR

USAGE = """Scale posteriors, by one number or by one for each utterance.
Usage: nnet-pytorch-scale-post <post-rspecifier> (<scale-rspecifier>|<scale>) <post-wspecifier>
e.g.: nnet-pytorch-scale-post ark:1.post 0.1 ark:scaled.post"""


@dataclass
class Options:
    """No options of its own."""


def scale_post(options: Options, posteriors: str, scale_in: str, wspecifier: str) -> int:
    done = missing = 0
    with ExitStack() as stack:
        scales, scale = None, 0.0
        if is_rspecifier(scale_in):
            scales = stack.enter_context(RandomAccessReader(scale_in, FLOAT))
        else:
            scale = real_number(scale_in, "scale, or the rspecifier of scales")
        reader = stack.enter_context(SequentialReader(posteriors, SPARSE_POSTERIOR))
        writer = stack.enter_context(TableWriter(wspecifier, SPARSE_POSTERIOR))
        for utterance, posterior in reader:
            if scales is not None:
                if utterance not in scales:
                    missing += 1
                    continue
                scale = scales[utterance]
            writer.write(utterance, scaled(posterior, scale))
            done += 1
    log.info(f"Done {done} posteriors;  {missing} had no scales.")
    return 0 if done else 1


main = command(scale_post, usage=USAGE)

if __name__ == "__main__":
    main()
