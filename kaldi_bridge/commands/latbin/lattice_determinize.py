"""nnet-pytorch-lattice-determinize: twin of lattice-determinize."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.costs import prune, scale
from kaldi_bridge.lattices.determinization import FullDeterminizationOptions, determinize_or_prune, pushed
from kaldi_bridge.lattices.lattice import sorted_if_needed
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE
from kaldi_bridge.lattices.scale_options import AcousticScaleOptions
from kaldi_bridge.lattices.state_times import depth
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Determinize lattices as a whole. It is better done within a beam: nnet-pytorch-lattice-determinize-pruned.
Usage: nnet-pytorch-lattice-determinize [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-determinize --acoustic-scale=0.1 --beam=15.0 ark:1.lats ark:det.lats"""


@dataclass
class Options(FullDeterminizationOptions, AcousticScaleOptions):
    """Options of lattice-determinize."""

    prune: bool = option(False, "If true, prune determinized lattices with the --beam option.")
    minimize: bool = option(False, "If true, push and minimize after determinization")


def lattice_determinize(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    if options.acoustic_scale == 0.0:
        raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
    loop = TableLoop(lattice_rspecifier)
    states_in = crossings = total = 0.0
    with (
        SequentialReader(lattice_rspecifier, LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            with loop.entry(key, f"failed for {key}"):
                result, beam = determinize_or_prune(scale(lattice, options.acoustic_scale), options)
                if options.prune:
                    result = prune(result, beam)
                if options.minimize:
                    result = pushed(result, minimize=True)
                result = sorted_if_needed(result)
                mean, frames = depth(result)
                states_in += lattice.num_states
                crossings += float(mean) * frames
                total += frames
                writer.write(key, scale(result, 1.0 / options.acoustic_scale))
    if total:
        log.info(
            f"Average input-lattice depth (measured at at state level) is {states_in / total:g}, output depth is "
            f"{crossings / total:g}, over {total:g} frames  (average num-frames = {total / loop.done:g})."
        )
    log.info(f"Done {loop.done} lattices, errors on {loop.failed}")
    return loop.status


main = command(lattice_determinize, usage=USAGE)

if __name__ == "__main__":
    main()
