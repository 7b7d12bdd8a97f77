"""nnet-pytorch-fstminimize: OpenFst's fstminimize."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts import log_arcs
from kaldi_bridge.fsts.command_line import arc_type, openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.fsts.string_minimization import minimized_with_strings

USAGE = """Minimizes a deterministic FST.

  Usage: nnet-pytorch-fstminimize [in.fst [out1.fst [out2.fst]]]

With out2.fst, the output labels of out1.fst stand for strings, which out2.fst puts in their places."""


@dataclass
class Options:
    """Flags of fstminimize."""

    allow_nondet: bool = option(False, "Minimize non-deterministic FSTs")
    delta: float = option(1e-6, "Comparison/quantization delta", type="double")


def fstminimize(options: Options, fst_in: str = "", fst_out: str = "", strings_out: str | None = None) -> None:
    fst = read_fst_file(fst_in)
    if strings_out is not None:
        if not fst_out and not strings_out:
            raise KaldiError("Both outputs can't be standard output.")
        if arc_type(fst) != "standard" or options.allow_nondet:
            raise KaldiError("two outputs are only for deterministic FSTs with arcs of type standard")
        first, second = minimized_with_strings(fst, options.delta)
        write_fst_file(fst_out, first)
        write_fst_file(strings_out, second)
        return
    if arc_type(fst) == "log":
        write_fst_file(fst_out, log_arcs.minimized(fst, options.delta))
        return
    write_fst_file(fst_out, OpenFst.of(fst).minimized(options.delta, options.allow_nondet).fst())


main = openfst_command(fstminimize, usage=USAGE)

if __name__ == "__main__":
    main()
