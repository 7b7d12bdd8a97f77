"""What the lattice-determinize programs share: each lattice of a table is scaled, determinized, written and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.determinization import Determinized
from kaldi_bridge.lattices.lattice import AnyLattice, Lattice, num_frames, sorted_if_needed, to_lattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE, LatticeHolder
from kaldi_bridge.lattices.scale_options import AcousticScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.threads import ThreadOptions, shares_in_order


@dataclass
class BeamOptions(AcousticScaleOptions):
    """What all of them have besides the options of the determinization."""

    beam: float = option(10.0, "Pruning beam [applied after acoustic scaling].")


@dataclass
class ProgramOptions(BeamOptions):
    """What those that work in one thread have."""

    write_compact: bool = option(
        True,
        "Write compact lattices; false: lattices with a transition-id and its own acoustic cost on each arc, "
        "for input straight from the search",
    )


@dataclass
class ParallelOptions(ThreadOptions, BeamOptions):
    """What the -parallel forms have."""


DeterminizeEach = Callable[[Sequence[Lattice]], Iterator[Determinized]]


class _Determinizer:
    """Determinizes lattices, scaled meanwhile, by a function for such; sorted afterwards, or not."""

    def __init__(self, options: ProgramOptions | ParallelOptions, determinize: DeterminizeEach, compact: bool) -> None:
        self._scale, self._compact, self._determinize = options.acoustic_scale, compact, determinize
        self._sorts = isinstance(options, ProgramOptions)
        if self._scale == 0.0:
            raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")

    def __call__(self, entries: Sequence[tuple[str, Lattice]]) -> Iterator[tuple[str, Determinized, AnyLattice]]:
        """For each entry: the key, what was found, and what is to be written."""
        determinized = self._determinize([scale(lattice, acoustic=self._scale) for _, lattice in entries])
        for key, lattice in entries:
            log.vlog(2, f"Processing lattice {key}")
            try:
                found = next(determinized)
                result = sorted_if_needed(found.lattice) if self._sorts else found.lattice
                written: AnyLattice = scale(result, acoustic=1.0 / self._scale)
                if not self._compact:
                    scores = _csrc.FrameScores(lattice.parts)
                    written = Lattice(*scores.put_back(to_lattice(result).parts))
            except (KaldiError, ValueError) as error:
                raise KaldiError(f"lattice of {key}: {error}") from None
            yield key, replace(found, lattice=result), written


def determinize_table(rspecifier: str, wspecifier: str, options: ProgramOptions, determinize: DeterminizeEach) -> int:
    """Determinizes all lattices of a table, by a function for some that are scaled; returns the exit status.

    Raises KaldiError for a lattice that cannot be determinized: Kaldi's programs end there.
    """
    determinizer = _Determinizer(options, determinize, options.write_compact)
    holder: LatticeHolder[Any] = COMPACT_LATTICE if options.write_compact else LATTICE
    done = early = states_in = arc_frames = frames = 0
    with SequentialReader(rspecifier, LATTICE) as lattices, TableWriter(wspecifier, holder) as writer:
        for key, found, written in shares_in_order(determinizer, lattices, num_threads=1):
            _warn_if_early(key, found)
            result = found.lattice
            early += not found.complete or result.num_states == 0
            if result.num_states == 0:
                log.warning(f"For key {key}, determinized and trimmed lattice was empty.")
            writer.write(key, written)
            done += 1
            states_in += found.states_before
            arc_frames += len(result.strings)
            frames += num_frames(result)
    if frames:
        log.info(
            f"Average input-lattice depth (measured at at state level) is {states_in / frames:g}, "
            f"output depth is {arc_frames / frames:g}, over {frames} frames  "
            f"(average num-frames = {frames / done:g})."
        )
    log.info(
        f"Done {done} lattices, determinization finished earlier than specified by the beam "
        f"(or output was empty) on {early} of these."
    )
    return 0 if done else 1


def determinize_table_in_threads(
    rspecifier: str,
    wspecifier: str,
    options: ParallelOptions,
    determinize: DeterminizeEach,
    what_early_is: str,
) -> int:
    """The same, ``options.num_threads`` lattices at a time, their states in the order in which they were made.

    ``what_early_is``: in the last message.
    """
    determinizer = _Determinizer(options, determinize, compact=True)
    holder: LatticeHolder[Any] = COMPACT_LATTICE
    done = early = 0
    with SequentialReader(rspecifier, LATTICE) as lattices, TableWriter(wspecifier, holder) as writer:
        for key, found, written in shares_in_order(
            determinizer, lattices, options.num_threads, lambda entry: entry[1].num_arcs
        ):
            _warn_if_early(key, found)
            early += not found.complete
            writer.write(key, written)
            done += 1
    log.info(f"Done {done} lattices, {what_early_is} on {early} of these.")
    return 0 if done else 1


def _warn_if_early(key: str, found: Determinized) -> None:
    if not found.complete:
        log.warning(
            f"For key {key}, determinization did not succeed"
            "(partial output will be pruned tighter than the specified beam.)"
        )
