"""nnet-pytorch-prons-to-wordali: twin of prons-to-wordali."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.lang.word_pronunciations import word_lengths
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_PAIR_VECTOR, INT32_VECTOR, INT32_VECTOR_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Find the length of each word in frames, from the phones of each word and the lengths of phones; word 0 is
what lies between words, as optional silence. An utterance whose phones are not those of its words is left out.
Usage: nnet-pytorch-prons-to-wordali [options] <prons-rspecifier> <phone-lengths-rspecifier> <wordali-wspecifier>
e.g.: nnet-pytorch-ali-to-phones --write-lengths=true 1.mdl ark:1.ali ark:lengths
  nnet-pytorch-prons-to-wordali ark:1.prons ark:lengths ark:1.wali"""


@dataclass
class Options:
    """Options of prons-to-wordali."""

    per_frame: bool = option(False, "If true, write out the frame-level word alignment (else word sequence)")


def prons_to_wordali(options: Options, prons_rspecifier: str, lengths_rspecifier: str, wspecifier: str) -> int:
    holder: Any = INT32_VECTOR if options.per_frame else INT32_PAIR_VECTOR
    loop = TableLoop(prons_rspecifier)
    with (
        SequentialReader(prons_rspecifier, INT32_VECTOR_VECTOR) as reader,
        RandomAccessReader(lengths_rspecifier, INT32_PAIR_VECTOR) as lengths,
        TableWriter(wspecifier, holder) as writer,
    ):
        for key, prons in reader:
            if key not in lengths:
                loop.fail(f"Not processing utterance {key} because no phone alignment found.")
                continue
            with loop.entry(key, f"For key {key}"):
                words = word_lengths(prons, lengths[key])
                writer.write(key, np.repeat(*np.array(words).reshape(-1, 2).T) if options.per_frame else words)
    log.info(f"Done {loop.done} utterances; {loop.failed} had errors.")
    return 0


main = command(prons_to_wordali, usage=USAGE)

if __name__ == "__main__":
    main()
