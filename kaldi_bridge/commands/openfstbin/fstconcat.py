"""nnet-pytorch-fstconcat: OpenFst's fstconcat."""

from __future__ import annotations

from kaldi_bridge.fsts.command_line import openfst_command, read_fst_files, write_fst_file
from kaldi_bridge.fsts.rational import concatenated

USAGE = """Concatenates two FSTs.

  Usage: nnet-pytorch-fstconcat in1.fst in2.fst [out.fst]"""


def fstconcat(first: str, second: str, fst_out: str = "") -> None:
    write_fst_file(fst_out, concatenated(*read_fst_files(first, second)))


main = openfst_command(fstconcat, usage=USAGE)

if __name__ == "__main__":
    main()
