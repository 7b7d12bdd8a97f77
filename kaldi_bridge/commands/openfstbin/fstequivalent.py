"""nnet-pytorch-fstequivalent: OpenFst's fstequivalent."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_files
from kaldi_bridge.fsts.comparison import are_equivalent, are_equivalent_at_random

USAGE = """Two DFAs are equivalent iff the exit status is zero.

  Usage: nnet-pytorch-fstequivalent in1.fst in2.fst"""


@dataclass
class Options:
    """Flags of fstequivalent."""

    delta: float = option(1.0 / 1024.0, "Comparison/quantization delta", type="double")
    max_length: int = option(2147483647, "Maximum path length")
    npath: int = option(1, "Number of paths to generate")
    random: bool = option(False, "Test equivalence by randomly selecting paths in the input FSTs")
    seed: int = option(0, "Random seed (default: another one each time)")
    select: str = option("uniform", 'Selection type: one of: "uniform", "log_prob", "fast_log_prob"')


def fstequivalent(options: Options, first: str, second: str) -> int:
    one, other = read_fst_files(first, second)
    if options.random:
        seed = options.seed or time.time_ns()
        drawn = options.npath, seed, options.select, options.max_length, options.delta
        equivalent = are_equivalent_at_random(one, other, *drawn)
    else:
        equivalent = are_equivalent(one, other, options.delta)
    return 0 if equivalent else 2


main = openfst_command(fstequivalent, usage=USAGE)

if __name__ == "__main__":
    main()
