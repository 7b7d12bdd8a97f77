"""nnet-pytorch-lattice-to-ctm-conf: twin of lattice-to-ctm-conf."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.sausages import SausageOptions, Sausages, minimum_bayes_risk
from kaldi_bridge.lattices.scale_options import InverseScaleOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, is_wspecifier
from kaldi_bridge.tables.holders import FLOAT_PAIR_VECTOR, INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Turn lattices into a ctm with confidences, by the posterior probabilities of words.
Usage: nnet-pytorch-lattice-to-ctm-conf [options] <lattice-rspecifier> \\
    [<1best-rspecifier> [<times-rspecifier>]] <ctm-wxfilename>
e.g.: nnet-pytorch-lattice-to-ctm-conf --acoustic-scale=0.1 ark:aligned.lats 1.ctm
or:   nnet-pytorch-lattice-to-ctm-conf --acoustic-scale=0.1 --decode-mbr=false ark:aligned.lats ark:1.tra 1.ctm
The words are those with the fewest expected errors, found from the best path or the words given; with
--decode-mbr=false, these themselves. Times mean something where arcs are words (nnet-pytorch-lattice-align-words)."""


@dataclass
class Options(SausageOptions, InverseScaleOptions):
    """Options of lattice-to-ctm-conf."""

    lm_scale: float = option(1.0, "Scaling factor for graph costs (language model and transition probabilities)")
    frame_shift: float = option(0.01, "Time in seconds between frames.")
    confidence_digits: int = option(2, "Number of decimal digits for confidences in 'ctm'.")


def _lines(key: str, made: Sausages, options: Options) -> Iterator[str]:
    shift, digits = np.float32(options.frame_shift), options.confidence_digits
    for word, times, confidence in zip(made.words, made.word_times, made.confidences, strict=True):
        begin, end = np.float32(times[0]), np.float32(times[1])
        yield f"{key} 1 {shift * begin:.{digits}f} {shift * (end - begin):.{digits}f} {word} {confidence:.{digits}f}\n"


def lattice_to_ctm_conf(options: Options, lattice_rspecifier: str, *rest: str) -> int:
    *start, ctm_wxfilename = rest
    one_best_rspecifier, times_rspecifier = [*start, "", ""][:2]
    acoustic = options.acoustic()
    if is_wspecifier(ctm_wxfilename):
        raise KaldiError(f"The output ctm file should not be a wspecifier: 1.ctm, not {ctm_wxfilename}")
    if options.confidence_digits < 0:
        raise KaldiError(f"--confidence-digits={options.confidence_digits} must not be negative")
    loop = TableLoop(lattice_rspecifier)
    words = 0
    risk = np.float32(0.0)
    with ExitStack() as stack:
        lattices = stack.enter_context(SequentialReader(lattice_rspecifier, COMPACT_LATTICE))
        tables = [
            stack.enter_context(RandomAccessReader(rspecifier, holder)) if rspecifier else None
            for rspecifier, holder in ((one_best_rspecifier, INT32_VECTOR), (times_rspecifier, FLOAT_PAIR_VECTOR))
        ]
        stream = stack.enter_context(open_output(ctm_wxfilename))
        for key, lattice in lattices:
            with loop.entry(key):
                for table, what in zip(tables, ("1-best", "'times'"), strict=True):
                    if table is not None and key not in table:
                        raise EntryError(f"No {what} present for utterance {key}")
                one_best = tables[0][key] if tables[0] is not None else None
                made = minimum_bayes_risk(scale(lattice, acoustic, options.lm_scale), options, one_best)
                stream.write(encode("".join(_lines(key, made, options))))
                mean = sum(made.confidences) / len(made.words) if made.words else float("nan")
                log.info(f"For utterance {key}, Bayes Risk {made.risk:g}, avg. confidence per-word {mean:g}")
                words += len(made.words)
                risk += made.risk
    log.info(f"Done {loop.done} lattices.")
    by = [f"{float(risk) / count if count else float('nan'):g}" for count in (loop.done, words)]
    log.info(f"Overall average Bayes Risk per sentence is {by[0]} and per word, {by[1]}")
    return loop.status


main = command(lattice_to_ctm_conf, usage=USAGE)

if __name__ == "__main__":
    main()
