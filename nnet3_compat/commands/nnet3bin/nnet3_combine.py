"""nnet-pytorch-combine: twin of nnet3-combine."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.examples.frame_examples import EXAMPLE
from nnet3_compat.examples.programs import CombineOptions, read_all
from nnet3_compat.model.model_file import write_model
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.utterances.computation_options import DeviceOptions

USAGE = """Average the first n of some networks, latest first, for the n with the best objective on examples.
Usage: nnet-pytorch-combine [options] <nnet-in1> <nnet-in2> ... <valid-examples-in> <nnet-out>
e.g.: nnet-pytorch-combine 3.raw 2.raw 1.raw ark:valid.egs final.raw"""


@dataclass
class Options(CombineOptions, DeviceOptions):
    """Options of nnet3-combine."""


def combine(options: Options, first: str, second: str, third: str, *more: str) -> int:
    from nnet3_compat.evaluation.frame_objective import FrameDiagnostics
    from nnet3_compat.machine.device import select_device
    from nnet3_compat.training import combination

    everything = [first, second, third, *more]
    models, examples_rspecifier, nnet_out = everything[:-2], everything[-2], everything[-1]
    device = select_device(options.use_gpu)
    examples = [example for _, example in read_all(EXAMPLE, examples_rspecifier)]

    def evaluate(nnet: Nnet) -> FrameDiagnostics:
        return FrameDiagnostics(nnet, accuracy=False, train=True, device=device)

    best = combination.combine(models, examples, evaluate, options)
    write_model(nnet_out, combination.recompute_stats(best, examples, evaluate), options.binary)
    log.info(f"Finished combining neural nets, wrote model to {nnet_out}")
    return 0


main = command(combine, usage=USAGE)

if __name__ == "__main__":
    main()
