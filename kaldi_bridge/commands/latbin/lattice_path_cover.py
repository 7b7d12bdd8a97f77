"""nnet-pytorch-lattice-path-cover: twin of lattice-path-cover."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.path_cover import path_cover
from kaldi_bridge.lattices.scale_options import ScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE, INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Find paths that together have every arc of a lattice, each the best path through one of its arcs at least, so
that a language model can score all arcs by few sentences. Writes words, states and cost of path n of an utterance under
the key utt-n, the cheapest first.
Usage: nnet-pytorch-lattice-path-cover [options] <lattice-rspecifier> [<transcriptions-wspecifier> [<states-wspecifier>
 [<path-costs-wspecifier>]]]
e.g.: nnet-pytorch-lattice-path-cover --acoustic-scale=0.1 --word-symbol-table=data/lang/words.txt ark:1.lats \\
 ark,t:1.words ark,t:1.states ark,t:1.costs"""


@dataclass
class Options(ScaleOptions):
    """Options of lattice-path-cover."""

    word_symbol_table: str = option("", "Symbol table for words: print the words of paths")


def lattice_path_cover(
    options: Options,
    lattices_rspecifier: str,
    words_wspecifier: str = "",
    states_wspecifier: str = "",
    costs_wspecifier: str = "",
) -> int:
    symbols = SymbolTable.read(options.word_symbol_table) if options.word_symbol_table else None
    loop, done = TableLoop(lattices_rspecifier), 0
    with ExitStack() as stack:
        reader = stack.enter_context(SequentialReader(lattices_rspecifier, COMPACT_LATTICE))
        words = stack.enter_context(TableWriter(words_wspecifier or "ark:/dev/null", INT32_VECTOR))
        states = stack.enter_context(TableWriter(states_wspecifier or "ark:/dev/null", INT32_VECTOR))
        costs = stack.enter_context(TableWriter(costs_wspecifier or "ark:/dev/null", DOUBLE))
        for key, lattice in reader:
            with loop.entry(key, f"No paths of lattice {key}"):
                paths = path_cover(scale(lattice, options.acoustic_scale, options.lm_scale))
                for number, path in enumerate(paths, 1):
                    name = f"{key}-{number}"
                    words.write(name, path.words)
                    states.write(name, path.states)
                    costs.write(name, path.cost)
                    if symbols is not None:
                        print(name, *(symbols[word] for word in path.words), "", file=sys.stderr)
                done += len(paths)
    log.info(f"Done {done} paths, failed for {loop.failed}")
    return 0 if done else 1


main = command(lattice_path_cover, usage=USAGE)

if __name__ == "__main__":
    main()
