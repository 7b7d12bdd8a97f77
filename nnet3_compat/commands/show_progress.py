"""nnet-pytorch-show-progress: twin of nnet3-show-progress, without its examples argument."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from nnet3_compat.model_file import read_nnet
from nnet3_compat.nnet_info import nnet_info
from nnet3_compat.whole_network import add, dot_products, num_parameters

USAGE = """Show how the parameters of a network changed from one file to the next, for each component.
Usage: nnet-pytorch-show-progress [options] <old-nnet-in> <new-nnet-in>
e.g.: nnet-pytorch-show-progress 1.raw 2.raw"""


@dataclass
class Options:
    """Options of nnet3-show-progress that matter without examples."""

    num_segments: int = option(1, "No effect without examples")
    use_gpu: str = option("no", "No effect: nothing is computed that a GPU would help with")


def show_progress(options: Options, old_in: str, new_in: str, examples_rspecifier: str | None = None) -> int:
    if examples_rspecifier:
        raise KaldiError(
            "showing the change of the objective on examples is not possible yet: leave out the last argument "
            "to see the change of the parameters"
        )
    old, new = read_nnet(old_in), read_nnet(new_in)
    if num_parameters(old) != num_parameters(new):
        log.warning("Parameter-dim mismatch, cannot show progress.")
        return 0
    difference = old.copy()
    add(difference, -1.0, new)
    if log.verbose() >= 1:
        log.vlog(1, f"Printing info for the difference between the neural nets: {nnet_info(difference)}")
    changed, before, after = (_norms(dot_products(n, n)) for n in (difference, old, new))
    relative = {name: change / before[name] if before[name] else math.nan for name, change in changed.items()}
    log.info(f"Parameter differences per layer are {_shown(changed)}")
    log.info(f"Norms of parameter matrices from <new-nnet-in> are {_shown(after)}")
    log.info(f"Relative parameter differences per layer are {_shown(relative)}")
    return 0


def _norms(squares: dict[str, float]) -> dict[str, float]:
    return {name: math.sqrt(square) for name, square in squares.items()}


def _shown(values: dict[str, float]) -> str:
    return f"[ {''.join(f'{name}:{value:g} ' for name, value in values.items())}]"


main = command(show_progress, usage=USAGE)

if __name__ == "__main__":
    main()
