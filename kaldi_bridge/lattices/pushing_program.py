"""What lattice-push and lattice-minimize share: each lattice of a table is changed, written and counted."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.lattices.determinization import pushed
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.loop import TableLoop


@dataclass
class PushOptions:
    """Options of both programs."""

    push_strings: bool = option(True, "If true, push the strings in the lattice to the start.")
    push_weights: bool = option(True, "If true, push the weights in the lattice to the start.")


def push_table(options: PushOptions, rspecifier: str, wspecifier: str, *, minimize: bool) -> int:
    """Pushes and perhaps minimizes all lattices of a table; the exit status. Those with a cycle are left out."""
    loop = TableLoop()
    with SequentialReader(rspecifier, COMPACT_LATTICE) as lattices, TableWriter(wspecifier, COMPACT_LATTICE) as writer:
        for key, lattice in lattices:
            with loop.entry(key):
                if lattice.start < 0:
                    raise EntryError(f"Empty lattice for key {key}")
                try:
                    made = pushed(lattice, options.push_strings, options.push_weights, minimize=minimize)
                except KaldiError as error:
                    raise EntryError(f"Failure in pushing lattice (bad lattice?), for key {key}: {error}") from None
                writer.write(key, made)
    log.info(f"{'Minimized' if minimize else 'Pushed'} {loop.done} lattices, errors on {loop.failed}")
    return loop.status
