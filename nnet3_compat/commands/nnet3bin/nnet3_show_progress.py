"""nnet-pytorch-show-progress: twin of nnet3-show-progress."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.frame_examples import EXAMPLE, NnetExample
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.model.info import nnet_info
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.model.whole_network import add, dot_products, num_parameters, scale, updatable
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.utterances.computation_options import OptimizationOptions

USAGE = """Show how the parameters of a network changed from one file to the next, for each component;
with examples, also the objective halfway between them, and what each component did for it.
Usage: nnet-pytorch-show-progress [options] <old-nnet-in> <new-nnet-in> [<training-examples-in>]
e.g.: nnet-pytorch-show-progress 1.raw 2.raw ark:valid.egs"""


@dataclass
class Options(OptimizationOptions):
    """Options of nnet3-show-progress."""

    num_segments: int = option(
        1, "Number of line segments between the networks, in whose middles derivatives are taken"
    )
    use_gpu: str = without_effect("no", "Computed on the CPU")
    compute_accuracy: bool = option(True, "Compute accuracies as well as objectives")
    compute_per_dim_accuracy: bool = option(False, "Compute accuracies of each output dimension")


def show_progress(options: Options, old_in: str, new_in: str, examples_rspecifier: str | None = None) -> int:
    if options.num_segments < 1:
        raise KaldiError(f"--num-segments={options.num_segments} must be at least 1")
    old, new = read_nnet(old_in), read_nnet(new_in)
    if num_parameters(old) != num_parameters(new):
        log.warning("Parameter-dim mismatch, cannot show progress.")
        return 0
    if examples_rspecifier:
        with SequentialReader(examples_rspecifier, EXAMPLE) as table:
            examples = [example for _, example in table]
        if not examples:
            raise KaldiError(f"No examples read from {examples_rspecifier}")
        changes = _objective_changes(old, new, examples, options)
        log.info(f"Total objf change per component is {_shown(changes)}")
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


def _objective_changes(old: Nnet, new: Nnet, examples: list[NnetExample], options: Options) -> dict[str, float]:
    """For each component the gradient's product with its change, per frame."""
    from nnet3_compat.evaluation.frame_objective import FrameDiagnostics

    changes = dict.fromkeys(updatable(old), 0.0)
    for segment in range(options.num_segments):
        middle = (segment + 0.5) / options.num_segments
        between = new.copy()
        scale(between, middle)
        add(between, 1.0 - middle, old)
        per_dim = options.compute_per_dim_accuracy
        diagnostics = FrameDiagnostics(between, options.compute_accuracy, per_dim, train=True)
        for example in examples:
            diagnostics.add(example, gradient=True)
        diagnostics.report()
        if "output" not in diagnostics.objectives:
            raise KaldiError("the examples have no targets for 'output'")
        total = diagnostics.objectives["output"]
        log.info(f"At position {middle:g}, objf per frame is {total.per_frame:g}")
        gradient = diagnostics.gradient()
        before, after = dot_products(gradient, old), dot_products(gradient, new)
        for name in changes:
            changes[name] += (after[name] - before[name]) / total.weight / options.num_segments
        log.vlog(1, f"By segment {segment}, objf change is {_shown(changes)}")
    return changes


def _norms(squares: dict[str, float]) -> dict[str, float]:
    return {name: math.sqrt(square) for name, square in squares.items()}


def _shown(values: dict[str, float]) -> str:
    return f"[ {''.join(f'{name}:{value:g} ' for name, value in values.items())}]"


main = command(show_progress, usage=USAGE)

if __name__ == "__main__":
    main()
