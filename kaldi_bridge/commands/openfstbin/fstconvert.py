"""nnet-pytorch-fstconvert: OpenFst's fstconvert."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file
from kaldi_bridge.fsts.conversion import write_converted

USAGE = """Converts an FST to another type.

  Usage: nnet-pytorch-fstconvert [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstconvert."""

    fst_type: str = option("vector", "Output FST type")
    save_relabel_ipairs: str = option("", "Save input relabel pairs to file")
    save_relabel_opairs: str = option("", "Save output relabel pairs to file")


def fstconvert(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    pairs = options.save_relabel_ipairs, options.save_relabel_opairs
    write_converted(fst_out, read_fst_file(fst_in), options.fst_type, *pairs)


main = openfst_command(fstconvert, usage=USAGE)

if __name__ == "__main__":
    main()
