"""nnet-pytorch-fstclosure: OpenFst's fstclosure."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.rational import closed

USAGE = """Creates the Kleene closure of an FST.

  Usage: nnet-pytorch-fstclosure [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstclosure."""

    closure_plus: bool = option(False, "Do not add the empty path (T+ instead of T*)?")


def fstclosure(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    write_fst_file(fst_out, closed(read_fst_file(fst_in), options.closure_plus))


main = openfst_command(fstclosure, usage=USAGE)

if __name__ == "__main__":
    main()
