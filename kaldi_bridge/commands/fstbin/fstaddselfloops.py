"""nnet-pytorch-fstaddselfloops: twin of fstaddselfloops."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import read_fst, write_fst
from kaldi_bridge.fsts.labels import with_self_loops
from kaldi_bridge.io.integer_sets import read_integers

USAGE = """Adds self-loops to states of an FST to propagate disambiguation symbols through it:
to each final state, and each state with an output label on an arc out of it.
Usage: nnet-pytorch-fstaddselfloops <in-disambig-list> <out-disambig-list> [<fst-in> [<fst-out>]]
e.g.: nnet-pytorch-fstaddselfloops in.list out.list < in.fst > with_loops.fst"""


def fstaddselfloops(disambig_in: str, disambig_out: str, fst_in: str = "", fst_out: str = "") -> None:
    fst = read_fst(fst_in)
    ilabels, olabels = read_integers(disambig_in), read_integers(disambig_out)
    if len(ilabels) != len(olabels):
        raise KaldiError("fstaddselfloops: mismatch in size of disambiguation symbols")
    write_fst(fst_out, with_self_loops(fst, list(zip(ilabels, olabels, strict=True))))


main = command(fstaddselfloops, usage=USAGE)

if __name__ == "__main__":
    main()
