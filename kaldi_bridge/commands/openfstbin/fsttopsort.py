"""nnet-pytorch-fsttopsort: OpenFst's fsttopsort."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.topological import topologically_sorted

USAGE = """Topologically sorts an FST.

  Usage: nnet-pytorch-fsttopsort [in.fst [out.fst]]"""


def fsttopsort(fst_in: str = "", fst_out: str = "") -> None:
    fst = read_fst_file(fst_in)
    ordered = topologically_sorted(fst)
    if ordered is None:
        log.warning("Input FST is cyclic")
    write_fst_file(fst_out, fst if ordered is None else ordered)


main = openfst_command(fsttopsort, usage=USAGE)

if __name__ == "__main__":
    main()
