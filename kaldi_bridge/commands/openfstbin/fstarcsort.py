"""nnet-pytorch-fstarcsort: OpenFst's fstarcsort."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.rational import arc_sorted

USAGE = """Sorts arcs of an FST.

  Usage: nnet-pytorch-fstarcsort [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstarcsort."""

    sort_type: str = option("ilabel", 'Comparison method: one of "ilabel", "olabel"')


def fstarcsort(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    write_fst_file(fst_out, arc_sorted(read_fst_file(fst_in), options.sort_type))


main = openfst_command(fstarcsort, usage=USAGE)

if __name__ == "__main__":
    main()
