"""nnet-pytorch-lattice-mbr-decode: twin of lattice-mbr-decode."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.sausages import SausageOptions, minimum_bayes_risk
from kaldi_bridge.lattices.scale_options import ScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, FLOAT_PAIR_VECTOR, INT32_VECTOR, POSTERIOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Decode with minimum Bayes risk: find the words with the fewest expected errors, and how probable they are.
Usage: nnet-pytorch-lattice-mbr-decode [options] <lattice-rspecifier> <transcriptions-wspecifier> \\
    [<bayes-risk-wspecifier> [<sausage-stats-wspecifier> [<times-wspecifier>]]]
e.g.: nnet-pytorch-lattice-mbr-decode --acoustic-scale=0.1 ark:1.lats ark,t:1.tra ark:/dev/null ark:1.sau
Times are pairs (start, end) in frames; they mean something where arcs are words (nnet-pytorch-lattice-align-words)."""


@dataclass
class Options(ScaleOptions):
    """Options of lattice-mbr-decode."""

    word_symbol_table: str = without_effect("", "Symbol table for words; for debug output alone, which Kaldi has not")
    one_best_times: bool = option(False, "If true, output times of the words found, not of the whole sausage.")


def lattice_mbr_decode(
    options: Options,
    lattice_rspecifier: str,
    transcriptions_wspecifier: str,
    bayes_risk_wspecifier: str = "",
    sausage_stats_wspecifier: str = "",
    times_wspecifier: str = "",
) -> int:
    loop = TableLoop(lattice_rspecifier)
    words = 0
    risk = np.float32(0.0)
    with ExitStack() as stack:
        lattices = stack.enter_context(SequentialReader(lattice_rspecifier, COMPACT_LATTICE))

        def writer(wspecifier: str, holder: Any) -> Any:
            return stack.enter_context(TableWriter(wspecifier, holder)) if wspecifier else None

        outputs = [
            (writer(transcriptions_wspecifier, INT32_VECTOR), lambda made: made.words),
            (writer(bayes_risk_wspecifier, FLOAT), lambda made: made.risk),
            (writer(sausage_stats_wspecifier, POSTERIOR), lambda made: made.bins),
            (
                writer(times_wspecifier, FLOAT_PAIR_VECTOR),
                lambda made: made.word_times if options.one_best_times else made.bin_times,
            ),
        ]
        for key, lattice in lattices:
            with loop.entry(key, f"No minimum Bayes risk for {key}"):
                made = minimum_bayes_risk(scale(lattice, options.acoustic_scale, options.lm_scale), SausageOptions())
                for table, value in outputs:
                    if table:
                        table.write(key, value(made))
                words += len(made.words)
                risk += made.risk
    log.info(f"Done {loop.done} lattices.")
    by = [f"{float(risk) / count if count else float('nan'):g}" for count in (loop.done, words)]
    log.info(f"Average Bayes Risk per sentence is {by[0]} and per word, {by[1]}")
    return loop.status


main = command(lattice_mbr_decode, usage=USAGE)

if __name__ == "__main__":
    main()
