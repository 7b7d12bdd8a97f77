"""nnet-pytorch-fstpushspecial: twin of fstpushspecial."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.fsts.fst import read_fst, write_fst
from kaldi_bridge.fsts.weight_pushing import KDELTA, push_special

USAGE = """Pushes weights so that the probabilities out of all states have the same sum.
Usage: nnet-pytorch-fstpushspecial [options] [<fst-in> [<fst-out>]]
e.g.: nnet-pytorch-fstpushspecial < in.fst > out.fst"""


@dataclass
class Options:
    """Options of fstpushspecial."""

    delta: float = option(KDELTA, "How much the costs out of a state may differ from the average")


def fstpushspecial(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    write_fst(fst_out, push_special(read_fst(fst_in), options.delta))


main = command(fstpushspecial, usage=USAGE)

if __name__ == "__main__":
    main()
