"""nnet-pytorch-average-models: what steps_pytorch/average.sh runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.command import command, option

USAGE = """Average the models of the last iterations of a run, or of chosen ones, into a model that decodes.
Statistics of batch norm and priors are estimated anew on training data.
Usage: nnet-pytorch-average-models [options] <dir> [<name>]
e.g.: nnet-pytorch-average-models --last=10 exp/tdnnf average10     # writes exp/tdnnf/average10.mdl; default: final"""


@dataclass
class Options:
    last: int = option(0, "How many last iterations to average; 0: as the run was told")
    iterations: str = option("", "Which iterations, separated by commas, instead")


def average_models(options: Options, folder: str, name: str = "final") -> int:
    from steps_pytorch.training.run import program

    return program.average(Path(folder), name, options.last, options.iterations)


main = command(average_models, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
