"""nnet-pytorch-fstrandgen: OpenFst's fstrandgen."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.random_paths import random_paths, random_tree

USAGE = """Generates random paths through an FST.

  Usage: nnet-pytorch-fstrandgen [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstrandgen."""

    max_length: int = option(2147483647, "Maximum path length")
    npath: int = option(1, "Number of paths to generate")
    remove_total_weight: bool = option(False, "Remove total weight when output weighted")
    seed: int = option(0, "Random seed (default: another one each time)")
    select: str = option("uniform", 'Selection type: one of  "uniform", "log_prob", "fast_log_prob"')
    weighted: bool = option(False, "Output tree weighted by path count vs. unweighted paths")


def fstrandgen(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    fst = read_fst_file(fst_in)
    seed = options.seed or time.time_ns()
    drawn = options.npath, seed, options.select, options.max_length
    made = random_tree(fst, *drawn, options.remove_total_weight) if options.weighted else random_paths(fst, *drawn)
    write_fst_file(fst_out, made)


main = openfst_command(fstrandgen, usage=USAGE)

if __name__ == "__main__":
    main()
