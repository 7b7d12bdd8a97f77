"""nnet-pytorch-fstinvert: OpenFst's fstinvert."""

from __future__ import annotations

from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.rational import inverted

USAGE = """Inverts a transduction.

  Usage: nnet-pytorch-fstinvert [in.fst [out.fst]]"""


def fstinvert(fst_in: str = "", fst_out: str = "") -> None:
    write_fst_file(fst_out, inverted(read_fst_file(fst_in)))


main = openfst_command(fstinvert, usage=USAGE)

if __name__ == "__main__":
    main()
