"""nnet-pytorch-lattice-determinize-pruned: twin of lattice-determinize-pruned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.decoder import DeterminizationOptions, determinize
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE, LatticeHolder
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Determinize lattices, keeping for each word sequence its best path, within a beam of the best of all.
Usage: nnet-pytorch-lattice-determinize-pruned [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-determinize-pruned --acoustic-scale=0.1 --beam=6.0 ark:in.lats ark:det.lats"""


@dataclass
class Options:
    """Options of lattice-determinize-pruned."""

    write_compact: bool = option(True, "Write compact lattices; false: lattices with a transition-id on each arc")
    acoustic_scale: float = option(1.0, "Scaling factor for acoustic likelihoods")
    beam: float = option(10.0, "Pruning beam [applied after acoustic scaling].")
    minimize: bool = option(False, "If true, push and minimize after determinization")
    delta: float = option(1.0 / 1024, "Tolerance used in determinization")
    max_mem: int = option(50000000, "Maximum approximate memory usage in determinization")
    max_arcs: int = option(-1, "No effect here: --max-mem bounds the size")
    max_states: int = option(-1, "No effect here: --max-mem bounds the size")
    max_loop: int = option(500000, "No effect here: lattices with cycles are refused")
    retry_cutoff: float = option(0.5, "No effect here: 0.5 of the beam, then the lattice is pruned and done again")


def lattice_determinize_pruned(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    if options.acoustic_scale == 0.0:
        raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
    settings = DeterminizationOptions(delta=options.delta, max_mem=options.max_mem, minimize=options.minimize)
    holder: LatticeHolder[Any] = COMPACT_LATTICE if options.write_compact else LATTICE
    done = incomplete = failed = 0
    with (
        SequentialReader(lattice_rspecifier, LATTICE) as lattices,
        TableWriter(lattice_wspecifier, holder) as writer,
    ):
        for key, lattice in lattices:
            try:
                scaled = scale(lattice, acoustic=options.acoustic_scale)
                result, complete = determinize(scaled, options.beam, settings)
            except KaldiError as error:
                log.warning(f"lattice of {key}: {error}")
                failed += 1
                continue
            if not complete:
                log.warning(f"For key {key}, determinization did not succeed (partial output will be pruned tighter)")
                incomplete += 1
            if result.num_states == 0:
                log.warning(f"For key {key}, determinized and trimmed lattice was empty.")
                failed += 1
                continue
            writer.write(key, scale(result, acoustic=1.0 / options.acoustic_scale))
            done += 1
    log.info(
        f"Done {done} lattices, determinization finished earlier than specified by the beam "
        f"(or output was empty) on {incomplete} of these."
    )
    if failed:
        log.warning(f"{failed} lattices could not be determinized")
    return 0 if done else 1


main = command(lattice_determinize_pruned, usage=USAGE)

if __name__ == "__main__":
    main()
