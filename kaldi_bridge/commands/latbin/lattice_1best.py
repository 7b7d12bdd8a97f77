"""nnet-pytorch-lattice-1best: twin of lattice-1best."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.costs import add_word_penalty, scale
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.paths import best_path_lattice
from kaldi_bridge.lattices.scale_options import ScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Write the best path of each lattice, as a lattice.
Usage: nnet-pytorch-lattice-1best [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-1best --acoustic-scale=0.1 ark:1.lats ark:1best.lats"""


@dataclass
class Options(ScaleOptions):
    """Options of lattice-1best."""

    word_ins_penalty: float = option(0.0, "Word insertion penalty; no effect unless positive, as in Kaldi")


def lattice_1best(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    if options.acoustic_scale == 0.0 or options.lm_scale == 0.0:
        raise KaldiError("Do not use exactly zero acoustic or LM scale (cannot be inverted)")
    penalty = max(0.0, options.word_ins_penalty)
    done = errors = 0
    with (
        SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            scaled = scale(lattice, options.acoustic_scale, options.lm_scale)
            best = best_path_lattice(add_word_penalty(scaled, penalty) if penalty else scaled)
            if best is None:
                log.warning(f"Possibly empty lattice for utterance-id {key}(no output)")
                errors += 1
                continue
            best = add_word_penalty(best, -penalty) if penalty else best
            writer.write(key, scale(best, 1.0 / options.acoustic_scale, 1.0 / options.lm_scale))
            done += 1
    log.info(f"Done converting {done} to best path, {errors} had errors.")
    return 0 if done else 1


main = command(lattice_1best, usage=USAGE)

if __name__ == "__main__":
    main()
