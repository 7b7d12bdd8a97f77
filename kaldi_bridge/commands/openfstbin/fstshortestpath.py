"""nnet-pytorch-fstshortestpath: OpenFst's fstshortestpath."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.openfst import OpenFst

USAGE = """Finds shortest path(s) in an FST.

  Usage: nnet-pytorch-fstshortestpath [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstshortestpath."""

    nshortest: int = option(1, "Return N-shortest paths")


def fstshortestpath(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    write_fst_file(fst_out, OpenFst.of(read_fst_file(fst_in)).shortest_paths(options.nshortest).fst())


main = openfst_command(fstshortestpath, usage=USAGE)

if __name__ == "__main__":
    main()
