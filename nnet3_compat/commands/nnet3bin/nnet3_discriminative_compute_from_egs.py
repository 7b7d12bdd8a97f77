"""nnet-pytorch-discriminative-compute-from-egs: twin of nnet3-discriminative-compute-from-egs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_examples import DISCRIMINATIVE_EXAMPLE
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.utterances.computation_options import DeviceOptions

USAGE = """Compute a network's output for the inputs of each example for discriminative training.
Their lattices do not matter: nnet-pytorch-discriminative-compute-objf is for these.
Usage: nnet-pytorch-discriminative-compute-from-egs [options] <raw-nnet-in> <training-examples-in> <matrices-out>
e.g.: nnet-pytorch-discriminative-compute-from-egs --apply-exp=true 0.raw ark:1.degs ark:- | \\
 matrix-sum-rows ark:- ark:sums"""


@dataclass
class Options(DeviceOptions):
    """Options of nnet3-discriminative-compute-from-egs."""

    binary: bool = without_effect(True, "As in Kaldi: the wspecifier says it")
    apply_exp: bool = option(False, "If true, apply exp function to output")


def discriminative_compute_from_egs(options: Options, nnet_in: str, examples_rspecifier: str, matrices_out: str) -> int:
    import torch

    from nnet3_compat.examples.batch import compute_outputs
    from nnet3_compat.machine.device import select_device
    from nnet3_compat.network.network import Network

    nnet, device = read_nnet(nnet_in), select_device(options.use_gpu)
    # As Kaldi: components are in the mode that their file says, which for batch norm is that of training.
    network = Network.from_nnet(nnet).to(device).train()
    count = 0
    with (
        SequentialReader(examples_rspecifier, DISCRIMINATIVE_EXAMPLE) as examples,
        TableWriter(matrices_out, FLOAT_MATRIX) as writer,
        torch.no_grad(),
    ):
        for key, example in examples:
            target = next((part for part in example.outputs if part.name == "output"), None)
            if target is None:
                raise KaldiError(f"example {key} has no output named output")
            made = compute_outputs(network, example.inputs, {"output": target.indexes}, device)["output"]
            writer.write(key, (made.exp() if options.apply_exp else made).cpu().numpy())
            count += 1
    log.info(f"Processed {count} examples.")
    return 0


main = command(discriminative_compute_from_egs, usage=USAGE)

if __name__ == "__main__":
    main()
