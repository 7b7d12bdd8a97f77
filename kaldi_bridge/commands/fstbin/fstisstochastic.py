"""nnet-pytorch-fstisstochastic: twin of fstisstochastic."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option, write_stdout
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.fsts.stochasticity import costs_out
from kaldi_bridge.io.basic_io import format_float

USAGE = """Checks whether an FST is stochastic and exits with success if so. Prints the least and the most that the
probabilities out of a state sum to, as costs.
Usage: nnet-pytorch-fstisstochastic [options] [<fst-in>]
e.g.: nnet-pytorch-fstisstochastic LG.fst"""


@dataclass
class Options:
    """Options of fstisstochastic."""

    delta: float = option(0.01, "Maximum error to accept.")
    test_in_log: bool = option(True, "Test stochasticity in log semiring.")


def fstisstochastic(options: Options, fst_in: str = "") -> int:
    least, most = costs_out(read_fst(fst_in), options.test_in_log)
    shown = (most, least) if options.test_in_log else (least, most)  # of probabilities the least comes first
    write_stdout(" ".join(format_float(cost, 6) for cost in shown) + "\n")
    return 0 if abs(least) <= options.delta and abs(most) <= options.delta else 1


main = command(fstisstochastic, usage=USAGE)

if __name__ == "__main__":
    main()
