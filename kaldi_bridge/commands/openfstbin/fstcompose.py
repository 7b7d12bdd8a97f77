"""nnet-pytorch-fstcompose: OpenFst's fstcompose."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.command_line import (
    ARC_TYPES,
    arc_type,
    check_same_arcs,
    openfst_command,
    read_fst_file,
    write_fst_file,
)
from kaldi_bridge.fsts.compose_filters import FILTERS, filtered_composition
from kaldi_bridge.fsts.fst import is_sorted
from kaldi_bridge.fsts.lookahead import composed_looking_ahead, read_fst_and_reachable
from kaldi_bridge.fsts.openfst import OpenFst

USAGE = """Composes two FSTs.

  Usage: nnet-pytorch-fstcompose in1.fst in2.fst [out.fst]"""


@dataclass
class Options:
    """Flags of fstcompose."""

    compose_filter: str = option("auto", 'Composition filter: one of "alt_sequence", "auto", "match", "sequence"')
    connect: bool = option(True, "Trim output")


def fstcompose(options: Options, first: str, second: str, fst_out: str = "") -> None:
    if options.compose_filter not in (*FILTERS, "auto", "sequence"):
        raise KaldiError(f"Unknown or unsupported compose filter type: {options.compose_filter}")
    if not first and not second:
        raise KaldiError("Can't take both inputs from standard input")
    one, ahead = read_fst_and_reachable(first, ARC_TYPES)
    other = read_fst_file(second)
    check_same_arcs(one, other)
    if ahead is not None and options.compose_filter == "auto" and arc_type(one) == "standard":
        write_fst_file(fst_out, composed_looking_ahead(ahead, other, options.connect))
        return
    side = "left" if is_sorted(one, "olabel") else "right"
    if side == "right" and not is_sorted(other, "ilabel"):
        raise KaldiError("neither the 1st argument's output labels nor the 2nd one's input labels are sorted")
    if options.compose_filter in FILTERS:
        write_fst_file(fst_out, filtered_composition(one, other, side, options.compose_filter, options.connect))
        return
    composed = OpenFst.of_any(one).composed(OpenFst.of_any(other), side, connect=options.connect)
    write_fst_file(fst_out, composed.fst_like(one))


main = openfst_command(fstcompose, usage=USAGE)

if __name__ == "__main__":
    main()
