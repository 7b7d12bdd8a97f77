"""nnet-pytorch-fstunion: OpenFst's fstunion."""

from __future__ import annotations

from kaldi_bridge.fsts.command_line import openfst_command, read_fst_files, write_fst_file
from kaldi_bridge.fsts.rational import union

USAGE = """Creates the union of two FSTs.

  Usage: nnet-pytorch-fstunion in1.fst in2.fst [out.fst]"""


def fstunion(first: str, second: str, fst_out: str = "") -> None:
    write_fst_file(fst_out, union(*read_fst_files(first, second)))


main = openfst_command(fstunion, usage=USAGE)

if __name__ == "__main__":
    main()
