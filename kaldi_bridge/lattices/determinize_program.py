"""What the lattice-determinize programs share: each lattice of a table is scaled, determinized, written and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass
class ProgramOptions(AcousticScaleOptions):
    """What all of them have besides the options of the determinization."""

    write_compact: bool = option(
        True,
        "Write compact lattices; false: lattices with a transition-id and its own acoustic cost on each arc, "
        "for input straight from the search",
    )
    beam: float = option(10.0, "Pruning beam [applied after acoustic scaling].")


def determinize_table(
    rspecifier: str, wspecifier: str, options: ProgramOptions, determinize: Callable[[Lattice], Determinized]
) -> int:
    """Determinizes all lattices of a table, by a function for one that is scaled; returns the exit status.

    Raises KaldiError for a lattice that cannot be determinized: Kaldi's programs end there.
    """
    if options.acoustic_scale == 0.0:
        raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
    holder: LatticeHolder[Any] = COMPACT_LATTICE if options.write_compact else LATTICE
    done = early = states_in = arc_frames = frames = 0
    with SequentialReader(rspecifier, LATTICE) as lattices, TableWriter(wspecifier, holder) as writer:
        for key, lattice in lattices:
            log.vlog(2, f"Processing lattice {key}")
            try:
                scores = None if options.write_compact else _csrc.FrameScores(lattice.parts)
                found = determinize(scale(lattice, acoustic=options.acoustic_scale))
                result = sorted_if_needed(found.lattice)
                written: AnyLattice = scale(result, acoustic=1.0 / options.acoustic_scale)
                if scores is not None:
                    written = Lattice(*scores.put_back(to_lattice(result).parts))
            except (KaldiError, ValueError) as error:
                raise KaldiError(f"lattice of {key}: {error}") from None
            if not found.complete:
                log.warning(
                    f"For key {key}, determinization did not succeed"
                    "(partial output will be pruned tighter than the specified beam.)"
                )
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
