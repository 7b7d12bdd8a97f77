"""nnet-pytorch-fstrmsymbols: twin of fstrmsymbols."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import read_fst, write_fst
from kaldi_bridge.fsts.labels import penalized, without_arcs, without_labels
from kaldi_bridge.io.integer_sets import read_integers

USAGE = """Replaces some labels on the input side of an FST with epsilon; or removes or penalizes their arcs.
Usage: nnet-pytorch-fstrmsymbols [options] <in-disambig-list> [<fst-in> [<fst-out>]]
e.g.: nnet-pytorch-fstrmsymbols in.list < in.fst > out.fst"""


@dataclass
class Options:
    """Options of fstrmsymbols."""

    remove_from_output: bool = option(False, "Older name of --apply-to-output")
    apply_to_output: bool = option(False, "If true, this applies to the output, not the input, side.")
    remove_arcs: bool = option(False, "If true, remove the arcs instead of converting the label to epsilon")
    penalty: float = option(-math.inf, "If given, add this to the cost of the arcs instead")


def fstrmsymbols(options: Options, disambig: str, fst_in: str = "", fst_out: str = "") -> None:
    if options.remove_arcs and options.penalty != -math.inf:
        raise KaldiError("--remove-arcs and --penalty are mutually exclusive")
    side = "olabel" if options.apply_to_output or options.remove_from_output else "ilabel"
    fst = read_fst(fst_in)
    labels = read_integers(disambig)
    if options.remove_arcs:
        fst = without_arcs(fst, labels, side)
        if not fst.num_states:
            log.warning("After Connect(), fst was empty.")
    elif options.penalty != -math.inf:
        fst = penalized(fst, labels, options.penalty, side)
    else:
        fst = without_labels(fst, labels, side)
    write_fst(fst_out, fst)


main = command(fstrmsymbols, usage=USAGE)

if __name__ == "__main__":
    main()
