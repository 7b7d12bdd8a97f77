"""nnet-pytorch-lattice-prune: twin of lattice-prune."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError, within
from kaldi_bridge.lattices.costs import prune, scale
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.scale_options import InverseScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Keep of lattices what is on paths within a beam of the best one.
Usage: nnet-pytorch-lattice-prune [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-prune --acoustic-scale=0.1 --beam=4.0 ark:1.lats ark:pruned.lats"""


@dataclass
class Options(InverseScaleOptions):
    """Options of lattice-prune."""

    beam: float = option(10.0, "Pruning beam [applied after acoustic scaling]")


def lattice_prune(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    acoustic = options.acoustic()
    if acoustic == 0.0:
        raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
    done = 0
    before, after = [0, 0], [0, 0]
    with (
        SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            pruned = scale(lattice, acoustic)
            with within(f"lattice of {key}"):
                try:
                    pruned = prune(pruned, options.beam)
                except EntryError as error:  # it is written as it is
                    log.warning(f"Error pruning lattice for utterance {key}: {error}")
            log.info(
                f"For utterance {key}, pruned #states from {lattice.num_states} to {pruned.num_states} "
                f"and #arcs from {lattice.num_arcs} to {pruned.num_arcs}"
            )
            for counts, counted in ((before, lattice), (after, pruned)):
                counts[0] += counted.num_states
                counts[1] += counted.num_arcs
            writer.write(key, scale(pruned, 1.0 / acoustic))
            done += 1
    n = max(done, 1)
    log.info(
        f"Overall, pruned from on average {before[0] / n:g} to {after[0] / n:g} states, and from "
        f"{before[1] / n:g} to {after[1] / n:g} arcs, over {done} utterances."
    )
    log.info(f"Done {done} lattices.")
    return 0 if done else 1


main = command(lattice_prune, usage=USAGE)

if __name__ == "__main__":
    main()
