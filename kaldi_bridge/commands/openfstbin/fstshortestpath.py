"""nnet-pytorch-fstshortestpath: OpenFst's fstshortestpath."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.command_line import arc_type, openfst_command, read_fst_file, threshold, write_fst_file
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.fsts.shortest_paths import shortest_paths

USAGE = """Finds shortest path(s) in an FST.

  Usage: nnet-pytorch-fstshortestpath [in.fst [out.fst]]"""

QUEUE_TYPES = ("auto", "fifo", "lifo", "shortest", "state", "top")


@dataclass
class Options:
    """Flags of fstshortestpath."""

    delta: float = option(1e-6, "Comparison/quantization delta", type="double")
    nshortest: int = option(1, "Return N-shortest paths")
    nstate: int = option(-1, "State number threshold, of several paths")
    queue_type: str = option("auto", "Queue type: all find the same paths")
    unique: bool = option(False, "Return unique strings, of several paths")
    weight: str = option("", "Weight threshold, of several paths")


def fstshortestpath(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    fst = read_fst_file(fst_in)
    if arc_type(fst) != "standard":
        raise KaldiError(f"ShortestPath: Weight needs to have the path property and be distributive: {arc_type(fst)}")
    if options.queue_type not in QUEUE_TYPES:
        raise KaldiError(f"Unknown or unsupported queue type: {options.queue_type}")
    if options.nshortest == 1:  # where OpenFst, too, takes no limits
        write_fst_file(fst_out, OpenFst.of(fst).shortest_paths(1).fst())
        return
    most = threshold(options.weight)
    write_fst_file(fst_out, shortest_paths(fst, options.nshortest, options.unique, options.delta, most, options.nstate))


main = openfst_command(fstshortestpath, usage=USAGE)

if __name__ == "__main__":
    main()
