"""nnet-pytorch-fstproject: OpenFst's fstproject."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.rational import projected

USAGE = """Projects a transduction onto its input or output language.

  Usage: nnet-pytorch-fstproject [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstproject."""

    project_output: bool = option(False, "Project on output (vs. input): older versions have this one flag")
    project_type: str = option("input", 'Side to project from, one of: "input", "output"')


def fstproject(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    side = "output" if options.project_output else options.project_type
    if side not in ("input", "output"):
        raise KaldiError(f"Unknown or unsupported project type: {side}")
    write_fst_file(fst_out, projected(read_fst_file(fst_in), side))


main = openfst_command(fstproject, usage=USAGE)

if __name__ == "__main__":
    main()
