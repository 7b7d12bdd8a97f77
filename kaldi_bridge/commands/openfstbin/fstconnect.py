"""nnet-pytorch-fstconnect: OpenFst's fstconnect."""

from __future__ import annotations

from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.labels import connected

USAGE = """Removes useless states and arcs from an FST.

  Usage: nnet-pytorch-fstconnect [in.fst [out.fst]]"""


def fstconnect(fst_in: str = "", fst_out: str = "") -> None:
    write_fst_file(fst_out, connected(read_fst_file(fst_in)))


main = openfst_command(fstconnect, usage=USAGE)

if __name__ == "__main__":
    main()
