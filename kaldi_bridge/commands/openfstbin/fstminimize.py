"""nnet-pytorch-fstminimize: OpenFst's fstminimize."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.fsts import log_arcs
from kaldi_bridge.fsts.command_line import arc_type, openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.openfst import OpenFst

USAGE = """Minimizes a deterministic FST.

  Usage: nnet-pytorch-fstminimize [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstminimize."""

    allow_nondet: bool = option(False, "Minimize non-deterministic FSTs")
    delta: float = option(1e-6, "Comparison/quantization delta", type="double")


def fstminimize(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    fst = read_fst_file(fst_in)
    if arc_type(fst) == "log":
        write_fst_file(fst_out, log_arcs.minimized(fst, options.delta))
        return
    write_fst_file(fst_out, OpenFst.of(fst).minimized(options.delta, options.allow_nondet).fst())


main = openfst_command(fstminimize, usage=USAGE)

if __name__ == "__main__":
    main()
