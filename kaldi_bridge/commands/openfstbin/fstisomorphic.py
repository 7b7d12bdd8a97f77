"""nnet-pytorch-fstisomorphic: OpenFst's fstisomorphic."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_files
from kaldi_bridge.fsts.comparison import are_isomorphic

USAGE = """Two FSTs are isomorphic iff the exit status is zero.

  Usage: nnet-pytorch-fstisomorphic in1.fst in2.fst"""


@dataclass
class Options:
    """Flags of fstisomorphic."""

    delta: float = option(1.0 / 1024.0, "Comparison/quantization delta", type="double")


def fstisomorphic(options: Options, first: str, second: str) -> int:
    return 0 if are_isomorphic(*read_fst_files(first, second), options.delta) else 2


main = openfst_command(fstisomorphic, usage=USAGE)

if __name__ == "__main__":
    main()
