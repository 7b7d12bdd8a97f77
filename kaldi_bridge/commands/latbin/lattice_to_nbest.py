"""nnet-pytorch-lattice-to-nbest: twin of lattice-to-nbest."""

from __future__ import annotations

import random
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice import connected, to_compact
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE
from kaldi_bridge.lattices.paths import between_epsilons, n_best_paths, random_paths
from kaldi_bridge.lattices.scale_options import ScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Write the n best paths of lattices as lattices of their own, with keys utt-1, utt-2, ...
Usage: nnet-pytorch-lattice-to-nbest [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-to-nbest --acoustic-scale=0.1 --n=10 ark:1.lats ark:nbest.lats
Determinize the lattices first, or the paths may have the same words."""


@dataclass
class Options(ScaleOptions):
    """Options of lattice-to-nbest."""

    n: int = option(1, "Number of distinct paths")
    random: bool = option(False, "Write n random paths instead; all their costs are zero")
    srand: int = option(0, "Seed of the random choice (only with --random=true)")


def lattice_to_nbest(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    if options.acoustic_scale == 0.0 or options.lm_scale == 0.0:
        raise KaldiError("Do not use a zero acoustic or LM scale (cannot be inverted)")
    if options.n < 1:
        raise KaldiError(f"--n={options.n} must be at least 1")
    rng = random.Random(options.srand)
    done = paths = 0
    with (
        SequentialReader(lattice_rspecifier, LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            scaled = scale(lattice, options.acoustic_scale, options.lm_scale)
            chosen = (
                random_paths(connected(scaled), options.n, rng) if options.random else n_best_paths(scaled, options.n)
            )
            count = 0
            for count, path in enumerate(chosen, 1):
                whole = between_epsilons(path) if options.n > 1 else path
                unscaled = scale(whole, 1.0 / options.acoustic_scale, 1.0 / options.lm_scale)
                writer.write(f"{key}-{count}", to_compact(unscaled))
            if count == 0:
                log.warning(f"Possibly empty lattice for utterance-id {key}(no N-best entries)")
                continue
            done += 1
            paths += count
    log.info(
        f"Done applying N-best algorithm to {done} lattices with n = {options.n}, "
        f"average actual #paths is {paths / max(done, 1e-20):g}"
    )
    return 0 if done else 1


main = command(lattice_to_nbest, usage=USAGE)

if __name__ == "__main__":
    main()
