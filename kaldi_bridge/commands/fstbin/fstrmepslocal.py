"""nnet-pytorch-fstrmepslocal: twin of fstrmepslocal."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.fsts.epsilon_removal import remove_epsilons_local
from kaldi_bridge.fsts.fst import read_fst, write_fst

USAGE = """Removes some of the epsilons, so that states and arcs never become more.
Usage: nnet-pytorch-fstrmepslocal [options] [<fst-in> [<fst-out>]]
e.g.: nnet-pytorch-fstrmepslocal < in.fst > out.fst"""


@dataclass
class Options:
    """Options of fstrmepslocal."""

    use_log: bool = option(False, "Preserve equivalence in log semiring [false->tropical]")
    stochastic_in_log: bool = option(True, "Preserve stochasticity in log semiring [false->tropical]")


def fstrmepslocal(options: Options, fst_in: str = "", fst_out: str = "") -> int:
    fst = read_fst(fst_in)
    if options.use_log and not options.stochastic_in_log:
        log.error("--use-log=true needs --stochastic-in-log=true")
        return 1
    write_fst(fst_out, remove_epsilons_local(fst, options.stochastic_in_log, options.use_log))
    return 0


main = command(fstrmepslocal, usage=USAGE)

if __name__ == "__main__":
    main()
