"""What lattice-determinize and lattice-determinize-non-compact do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.lattices.costs import prune, scale
from kaldi_bridge.lattices.determinization import FullDeterminizationOptions, determinize_or_prune, pushed
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, sorted_if_needed, to_lattice, top_sorted
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE, LatticeHolder
from kaldi_bridge.lattices.scale_options import AcousticScaleOptions
from kaldi_bridge.lattices.state_times import depth
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.loop import TableLoop


@dataclass
class FullDeterminizeOptions(FullDeterminizationOptions, AcousticScaleOptions):
    """Options of both."""

    prune: bool = option(False, "If true, prune determinized lattices with the --beam option.")
    minimize: bool = option(False, "If true, push and minimize after determinization")


def determinize_table_fully(options: FullDeterminizeOptions, rspecifier: str, wspecifier: str, compact: bool) -> int:
    """Determinizes all lattices of a table as a whole; returns the exit status.

    Without ``compact`` they are written with a transition-id on each arc, and the acoustic cost that it had.
    """
    if options.acoustic_scale == 0.0:
        raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
    holder: LatticeHolder[Any] = COMPACT_LATTICE if compact else LATTICE
    loop = TableLoop(rspecifier)
    states_in = crossings = total = 0.0
    with SequentialReader(rspecifier, LATTICE) as lattices, TableWriter(wspecifier, holder) as writer:
        for key, lattice in lattices:
            with loop.entry(key, f"failed for {key}"):
                scaled = scale(lattice if compact else top_sorted(lattice), options.acoustic_scale)
                result = _determinized(scaled, options)
                mean, frames = depth(result)
                states_in += lattice.num_states
                crossings += float(mean) * frames
                total += frames
                back = 1.0 / options.acoustic_scale
                writer.write(key, scale(result, back) if compact else scale(_with_costs_of(scaled, result), back))
    if total:
        log.info(
            f"Average input-lattice depth (measured at at state level) is {states_in / total:g}, output depth is "
            f"{crossings / total:g}, over {total:g} frames  (average num-frames = {total / loop.done:g})."
        )
    log.info(f"Done {loop.done} lattices, errors on {loop.failed}")
    return loop.status


def _determinized(lattice: Lattice, options: FullDeterminizeOptions) -> CompactLattice:
    result, beam = determinize_or_prune(lattice, options)
    if options.prune:
        result = prune(result, beam)
    if options.minimize:
        result = pushed(result, minimize=True)
    return sorted_if_needed(result)


def _with_costs_of(source: Lattice, result: CompactLattice) -> Lattice:
    """With the acoustic costs that the transition-ids of each frame have in the source, on average."""
    try:
        return Lattice(*_csrc.FrameScores(source.parts).put_back(top_sorted(to_lattice(result)).parts))
    except ValueError as error:
        raise KaldiError(str(error)) from None
