"""nnet-pytorch-lattice-limit-depth: twin of lattice-limit-depth."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice import sorted_if_needed
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.scale_options import AcousticScaleOptions
from kaldi_bridge.lattices.state_times import depth, with_limited_depth
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Limit the number of arcs that cross any frame: those on the best paths stay.
Usage: nnet-pytorch-lattice-limit-depth [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-limit-depth --max-arcs-per-frame=1000 --acoustic-scale=0.1 ark:1.lats ark:2.lats"""


@dataclass
class Options(AcousticScaleOptions):
    """Options of lattice-limit-depth."""

    max_arcs_per_frame: int = option(1000, "Maximum number of arcs that are allowed to cross any given frame")


def lattice_limit_depth(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    if options.acoustic_scale == 0.0:
        raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
    if options.max_arcs_per_frame < 0:
        raise KaldiError(f"--max-arcs-per-frame={options.max_arcs_per_frame} must not be negative")
    done = frames = 0
    before = after = 0.0
    with (
        SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            with within(f"{lattice_rspecifier}: lattice {key}"):
                lattice = sorted_if_needed(scale(lattice, acoustic=options.acoustic_scale))
                depth_in, length = depth(lattice)
                limited = with_limited_depth(lattice, options.max_arcs_per_frame)
                depth_out, _ = depth(limited)
            log.vlog(2, f"For key {key}, depth changed from {depth_in:g} to {depth_out:g} over {length} frames.")
            frames += length
            before += length * float(depth_in)
            after += length * float(depth_out)
            writer.write(key, scale(limited, acoustic=1.0 / options.acoustic_scale))
            done += 1
    log.info(f"Done {done} lattices.")
    mean = [f"{total / frames if frames else float('nan'):g}" for total in (before, after)]
    log.info(f"Overall density changed from {mean[0]} to {mean[1]}")
    return 0 if done else 1


main = command(lattice_limit_depth, usage=USAGE)

if __name__ == "__main__":
    main()
