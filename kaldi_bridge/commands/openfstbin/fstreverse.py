"""nnet-pytorch-fstreverse: OpenFst's fstreverse."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.openfst import OpenFst

USAGE = """Reverses the paths in an FST.

  Usage: nnet-pytorch-fstreverse [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstreverse."""

    require_superinitial: bool = option(True, "Always create a superinitial state")


def fstreverse(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    fst = read_fst_file(fst_in)
    write_fst_file(fst_out, OpenFst.of_any(fst).reversed(options.require_superinitial).fst_like(fst))


main = openfst_command(fstreverse, usage=USAGE)

if __name__ == "__main__":
    main()
