"""nnet-pytorch-fstminimizeencoded: twin of fstminimizeencoded."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.fsts.fst import read_fst, write_fst
from kaldi_bridge.fsts.fstext import DELTA, encoded_minimized

USAGE = """Minimizes an FST with its labels and weights as one symbol: like fstminimize, but without pushing of weights.
Usage: nnet-pytorch-fstminimizeencoded [options] [<fst-in> [<fst-out>]]
e.g.: nnet-pytorch-fstminimizeencoded < in.fst > out.fst"""


@dataclass
class Options:
    """Options of fstminimizeencoded."""

    delta: float = option(DELTA, "Delta likelihood used for quantization of weights")


def fstminimizeencoded(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    write_fst(fst_out, encoded_minimized(read_fst(fst_in), options.delta))


main = command(fstminimizeencoded, usage=USAGE)

if __name__ == "__main__":
    main()
