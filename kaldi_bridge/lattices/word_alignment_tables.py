"""The loop that the programs share which align lattices with words."""

from __future__ import annotations

from collections.abc import Callable

from kaldi_bridge import log
from kaldi_bridge.errors import within
from kaldi_bridge.lattices.lattice import CompactLattice, sorted_if_needed
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.word_alignment import Aligned
from kaldi_bridge.tables import SequentialReader, TableWriter


def align_table(
    align: Callable[[CompactLattice], Aligned],
    rspecifier: str,
    wspecifier: str,
    *,
    output_error_lats: bool,
    output_if_empty: bool = False,
    test: Callable[[CompactLattice, CompactLattice], bool] | None = None,
) -> int:
    """Aligns a table of lattices; the exit status. ``test``: whether a lattice was aligned rightly.

    ``output_error_lats``: also those that do not consist of whole words; ``output_if_empty``: where nothing is left of
    them, as they were.
    """
    done = errors = 0
    with SequentialReader(rspecifier, COMPACT_LATTICE) as lattices, TableWriter(wspecifier, COMPACT_LATTICE) as writer:
        for key, lattice in lattices:
            with within(f"{rspecifier}: lattice {key}"):
                aligned = align(lattice)
                whole = aligned.whole and (test is None or test(lattice, aligned.lattice))
            empty = aligned.lattice.start < 0
            if whole and not empty:
                done += 1
                log.vlog(2, f"Aligned lattice for {key}")
                writer.write(key, sorted_if_needed(aligned.lattice))
                continue
            errors += 1
            if whole:
                log.warning(f"Lattice was empty for key {key}")
            elif output_if_empty and empty and lattice.num_states:
                log.warning(
                    "Algorithm produced no output (due to --max-expand?), so passing input through as output, "
                    f"for key {key}"
                )
                writer.write(key, lattice)
            elif not output_error_lats:
                log.warning(f"Lattice for {key} did not align correctly, producing no output.")
            elif empty:
                log.warning(f"Empty aligned lattice for {key}, producing no output.")
            else:
                log.warning(f"Outputting partial lattice for {key}")
                writer.write(key, sorted_if_needed(aligned.lattice))
    log.info(f"Successfully aligned {done} lattices; {errors} had errors.")
    return 0 if done > errors else 1
