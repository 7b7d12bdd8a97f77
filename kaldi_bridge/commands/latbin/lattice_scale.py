"""nnet-pytorch-lattice-scale: twin of lattice-scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE, LatticeHolder
from kaldi_bridge.lattices.scale_options import InverseScaleOptions, ScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Apply scaling factors to the costs of lattices.
Usage: nnet-pytorch-lattice-scale [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-scale --lm-scale=0.0 ark:1.lats ark:scaled.lats"""


@dataclass
class Options(InverseScaleOptions, ScaleOptions):
    """Options of lattice-scale."""

    write_compact: bool = option(True, "If true, write in normal (compact) form.")
    acoustic2lm_scale: float = option(0.0, "Add this times original acoustic costs to LM costs")
    lm2acoustic_scale: float = option(0.0, "Add this times original LM costs to acoustic costs")


def lattice_scale(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    acoustic = options.acoustic()
    holder: LatticeHolder[Any] = COMPACT_LATTICE if options.write_compact else LATTICE
    done = 0
    with (
        SequentialReader(lattice_rspecifier, holder) as lattices,
        TableWriter(lattice_wspecifier, holder) as writer,
    ):
        for key, lattice in lattices:
            scaled = scale(lattice, acoustic, options.lm_scale, options.acoustic2lm_scale, options.lm2acoustic_scale)
            writer.write(key, scaled)
            done += 1
    log.info(f"Done {done} lattices.")
    return 0 if done else 1


main = command(lattice_scale, usage=USAGE)

if __name__ == "__main__":
    main()
