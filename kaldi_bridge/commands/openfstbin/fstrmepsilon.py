"""nnet-pytorch-fstrmepsilon: OpenFst's fstrmepsilon."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.command_line import arc_type, openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.log_arcs import epsilons_removed
from kaldi_bridge.fsts.openfst import OpenFst

USAGE = """Removes epsilons from an FST.

  Usage: nnet-pytorch-fstrmepsilon [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstrmepsilon."""

    connect: bool = option(True, "Trim output")
    delta: float = option(1e-6, "Comparison/quantization delta", type="double")
    nstate: int = option(-1, "State number threshold")
    queue_type: str = option("auto", 'Queue type: one of "auto", "fifo", "lifo", "shortest", "state", "top"')
    weight: str = option("", "Weight threshold")


def fstrmepsilon(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    fst = read_fst_file(fst_in)
    if arc_type(fst) == "log":
        if options.weight or options.nstate >= 0:
            raise KaldiError("Prune: Weight needs to have the path property: log")
        write_fst_file(fst_out, epsilons_removed(fst, options.connect, options.delta))
        return
    flags = options.connect, options.delta, options.nstate, options.queue_type, options.weight
    write_fst_file(fst_out, OpenFst.of(fst).without_epsilons(*flags).fst())


main = openfst_command(fstrmepsilon, usage=USAGE)

if __name__ == "__main__":
    main()
