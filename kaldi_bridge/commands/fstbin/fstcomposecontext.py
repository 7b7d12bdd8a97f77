"""nnet-pytorch-fstcomposecontext: twin of fstcomposecontext."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import read_fst, write_fst
from kaldi_bridge.fsts.fstext import context_composed
from kaldi_bridge.graphs.nonterminals import left_biphone_composed
from kaldi_bridge.graphs.window_labels import is_disambig, write_labels
from kaldi_bridge.io.integer_sets import read_integers, write_integers

USAGE = """Composes on the left with a context FST, which is made as it is needed
Usage: nnet-pytorch-fstcomposecontext [options] <ilabels-output-file> [<fst-in> [<fst-out>]]
e.g.: nnet-pytorch-fstcomposecontext ilabels.sym < LG.fst > CLG.fst"""


@dataclass
class Options:
    """Options of fstcomposecontext."""

    binary: bool = option(True, "If true, output ilabels-output-file in binary format")
    read_disambig_syms: str = option("", "List of disambiguation symbols on input of in.fst")
    write_disambig_syms: str = option("", "List of disambiguation symbols on input of out.fst")
    context_size: int = option(3, "Size of phone context window")
    central_position: int = option(1, "Designated central position in context window")
    nonterm_phones_offset: int = option(-1, "Integer id of #nonterm_bos in phones.txt, for grammars of several graphs")


def fstcomposecontext(options: Options, ilabels: str, fst_in: str = "", fst_out: str = "") -> None:
    fst = read_fst(fst_in)
    if options.write_disambig_syms and not options.read_disambig_syms:
        raise KaldiError("cannot specify --write-disambig-syms if not specifying --read-disambig-syms")
    disambig = read_integers(options.read_disambig_syms) if options.read_disambig_syms else []
    if not disambig:
        log.warning("Disambiguation symbols list is empty; this likely indicates an error in data preparation.")
    if options.nonterm_phones_offset < 0:
        if np.isin(fst.arcs["ilabel"], [0, *disambig]).all():
            log.warning("Context FST created but there are no phone symbols: probably input FST was empty.")
        composed, labels = context_composed(fst, disambig, options.context_size, options.central_position)
    elif (options.context_size, options.central_position) != (2, 1):
        raise KaldiError("grammars of several graphs (--nonterm-phones-offset) need models with left-biphone context")
    else:
        composed, labels = left_biphone_composed(fst, disambig, options.nonterm_phones_offset)
    write_labels(ilabels, labels, options.binary)
    if options.write_disambig_syms:
        found = [number for number, window in enumerate(labels) if is_disambig(window)]
        write_integers(options.write_disambig_syms, found)
    write_fst(fst_out, composed)


main = command(fstcomposecontext, usage=USAGE)

if __name__ == "__main__":
    main()
