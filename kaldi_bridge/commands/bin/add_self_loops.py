"""nnet-pytorch-add-self-loops: twin of add-self-loops."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.fsts.fst import read_fst, write_fst
from kaldi_bridge.graphs.self_loops import add_self_loops as with_self_loops
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.integer_sets import read_integers

USAGE = """Add self-loops and their probabilities to a transducer that has transition-ids on its input side, but only
the forward transitions.
Usage: nnet-pytorch-add-self-loops [options] <transition-gmm/acoustic-model> [<fst-in> [<fst-out>]]
e.g.: nnet-pytorch-add-self-loops --self-loop-scale=0.1 1.mdl HCLGa.fst HCLG.fst"""


@dataclass
class Options:
    """Options of add-self-loops."""

    self_loop_scale: float = option(1.0, "Scale for self-loop probabilities relative to LM.")
    disambig_syms: str = option("", "List of disambiguation symbols on input of fst-in [input file]")
    reorder: bool = option(True, "If true, put loops after the transitions into their states, which decodes faster")


def add_self_loops(options: Options, model: str, fst_in: str = "", fst_out: str = "") -> None:
    disambig = read_integers(options.disambig_syms) if options.disambig_syms else []
    transitions = read_transition_model(model)
    fst = with_self_loops(read_fst(fst_in), transitions, options.self_loop_scale, disambig, options.reorder)
    write_fst(fst_out, fst)


main = command(add_self_loops, usage=USAGE)

if __name__ == "__main__":
    main()
