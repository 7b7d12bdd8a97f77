"""nnet-pytorch-chain-add-post-to-egs: twin of nnet3-chain-add-post-to-egs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.options import ignoring, without_effect
from kaldi_bridge.tables import SequentialReader, TableWriter
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.options import AddedPosteriorsOptions, ChainOptions
from nnet3_compat.examples.programs import TestModeOptions, read_in_test_mode
from nnet3_compat.training.options import NnetTrainerOptions
from nnet3_compat.utterances.computation_options import DeviceOptions

USAGE = """Put a network's posteriors into chain examples, for training that does not forget what it knows (LWF).
Usage: nnet-pytorch-chain-add-post-to-egs [options] <nnet-in> <denominator-fst> <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-chain-add-post-to-egs --type=den 0.raw den.fst ark:1.cegs ark:1.post.cegs"""


TRAINING = "Of training, which Kaldi's program takes without using it"


@ignoring(TRAINING, NnetTrainerOptions, ChainOptions)
@dataclass
class TrainingOptions(NnetTrainerOptions, ChainOptions):
    """Kaldi's NnetChainTrainingOptions."""

    apply_deriv_weights: bool = without_effect(True, TRAINING)


@dataclass
class Options(AddedPosteriorsOptions, TrainingOptions, TestModeOptions, DeviceOptions):
    """Options of nnet3-chain-add-post-to-egs."""

    batchnorm_test_mode: bool = option(False, "Set test mode of batch-norm components")
    dropout_test_mode: bool = option(False, "Set test mode of dropout components")


def chain_add_post_to_egs(options: Options, nnet_in: str, den_fst_in: str, egs: str, egs_out: str) -> int:
    from nnet3_compat.evaluation.added_posteriors import PosteriorAdder
    from nnet3_compat.machine.device import select_device

    nnet = read_in_test_mode(nnet_in, options)
    graph = DenominatorGraph.read(den_fst_in, nnet.node_dim("output"))
    add = PosteriorAdder(nnet, graph, options, select_device(options.use_gpu))
    count = 0
    with SequentialReader(egs, CHAIN_EXAMPLE) as reader, TableWriter(egs_out, CHAIN_EXAMPLE) as writer:
        for key, example in reader:
            with within(f"example {key}"):
                writer.write(key, add(example))
            count += 1
    log.info(f"Read {count} neural-network training examples, wrote {count}")
    return 0 if count else 1


main = command(chain_add_post_to_egs, usage=USAGE)

if __name__ == "__main__":
    main()
