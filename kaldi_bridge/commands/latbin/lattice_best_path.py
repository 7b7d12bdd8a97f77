"""nnet-pytorch-lattice-best-path: twin of lattice-best-path."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.paths import best_path
from kaldi_bridge.lattices.scale_options import ScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR

USAGE = """Write the words, and the alignment, of each lattice's best path.
Usage: nnet-pytorch-lattice-best-path [options] <lattice-rspecifier> \\
    [<transcriptions-wspecifier> [<alignments-wspecifier>]]
e.g.: nnet-pytorch-lattice-best-path --acoustic-scale=0.1 ark:1.lats ark,t:1.tra ark:1.ali"""


@dataclass
class Options(ScaleOptions):
    """Options of lattice-best-path."""

    word_symbol_table: str = option("", "Symbol table for words: print the words")


def lattice_best_path(
    options: Options,
    lattice_rspecifier: str,
    transcriptions_wspecifier: str = "",
    alignments_wspecifier: str = "",
) -> int:
    symbols = SymbolTable.read(options.word_symbol_table) if options.word_symbol_table else None
    done = failed = frames = 0
    graph_sum = acoustic_sum = 0.0
    with ExitStack() as stack:
        lattices = stack.enter_context(SequentialReader(lattice_rspecifier, COMPACT_LATTICE))
        writers = [
            stack.enter_context(TableWriter(wspecifier, INT32_VECTOR)) if wspecifier else None
            for wspecifier in (transcriptions_wspecifier, alignments_wspecifier)
        ]
        for key, lattice in lattices:
            path = best_path(scale(lattice, options.acoustic_scale, options.lm_scale))
            if path is None:
                log.warning(f"Best-path failed for key {key}")
                failed += 1
                continue
            graph, acoustic = path.cost
            log.info(
                f"For utterance {key}, best cost {graph:g} + {acoustic:g} = {graph + acoustic:g} "
                f"over {len(path.alignment)} frames."
            )
            for writer, values in zip(writers, (path.words, path.alignment), strict=True):
                if writer:
                    writer.write(key, values)
            if symbols:
                with within(f"{options.word_symbol_table}: utterance {key}"):
                    print(key, *(symbols[word] for word in path.words), "", file=sys.stderr)
            done += 1
            frames += len(path.alignment)
            graph_sum, acoustic_sum = graph_sum + graph, acoustic_sum + acoustic
    n = frames or float("nan")
    log.info(
        f"Overall cost per frame is {(graph_sum + acoustic_sum) / n:g} = {graph_sum / n:g} [graph]"
        f" + {acoustic_sum / n:g} [acoustic] over {frames} frames."
    )
    log.info(f"Done {done} lattices, failed for {failed}")
    return 0 if done else 1


main = command(lattice_best_path, usage=USAGE)

if __name__ == "__main__":
    main()
