"""nnet-pytorch-lattice-equivalent: twin of lattice-equivalent."""

from __future__ import annotations

import random
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.lattices.equivalence import are_equivalent
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.tables import RandomAccessReader, SequentialReader

USAGE = """Test on random paths whether the lattices of two tables are equivalent.
Usage: nnet-pytorch-lattice-equivalent [options] <lattice-rspecifier1> <lattice-rspecifier2>
e.g.: nnet-pytorch-lattice-equivalent ark:1.lats ark:2.lats
The exit status is 0 if all were equivalent, 1 if some were not, 255 after an error and where lattices are missing."""

MISSING = 255


@dataclass
class Options:
    """Options of lattice-equivalent."""

    delta: float = option(0.1, "Delta parameter for equivalence test")
    num_paths: int = option(20, "Number of paths per lattice for testing randomized equivalence")
    max_error_proportion: float = option(
        0.0, "Maximum proportion of missing 2nd lattices, or inequivalent lattices, with which the status is still 0"
    )

    def __post_init__(self) -> None:
        if not 0.0 <= self.max_error_proportion <= 1.0:
            raise KaldiError(f"--max-error-proportion must be from 0 to 1, not {self.max_error_proportion:g}")


def lattice_equivalent(options: Options, lattice_rspecifier1: str, lattice_rspecifier2: str) -> int:
    rng = random.Random(0)
    equivalent = inequivalent = missing = 0
    with (
        SequentialReader(lattice_rspecifier1, LATTICE) as lattices,
        RandomAccessReader(lattice_rspecifier2, LATTICE) as others,
    ):
        for key, lattice in lattices:
            if key not in others:
                log.warning(f"No 2nd lattice present for utterance {key}")
                missing += 1
                continue
            with within(f"lattice of {key}"):
                same = are_equivalent(lattice, others[key], options.num_paths, options.delta, rng)
            equivalent += same
            inequivalent += not same
            log.info(f"Lattices were {'' if same else 'in'}equivalent for utterance {key}")
    log.info(
        f"Done {equivalent + inequivalent} lattices, {equivalent} were equivalent, {inequivalent} were not; "
        f"for {missing}, could not find 2nd lattice."
    )
    most_bad = int(options.max_error_proportion * (equivalent + inequivalent + missing))
    if missing > most_bad:
        return MISSING
    return 1 if inequivalent > most_bad else 0


main = command(lattice_equivalent, usage=USAGE)

if __name__ == "__main__":
    main()
