"""nnet-pytorch-import-checkpoint: networks of m-wiesner/nnet_pytorch as models that decode here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.command import command, option

USAGE = """Make a model directory that decode.sh takes of a checkpoint of m-wiesner/nnet_pytorch: TDNN, Resnet,
WideResnet or BLSTM, also their Chain forms. Outputs are those of its decode.py. Nothing in the checkpoint is executed.
Usage: nnet-pytorch-import-checkpoint [options] <checkpoint> <dir>
e.g.: nnet-pytorch-import-checkpoint --tree-dir=exp/chain_wrn/tree exp/wrn_lfmmi/final.mdl exp/wrn_here
Writes final.mdl (a plain TorchScript archive without --tree-dir), cmvn_opts, frame_subsampling_factor, input.json."""


@dataclass
class Options:
    """Options of this program."""

    conf: str = option("", "The conf.<n>.json of the training; default: conf.1.json beside the checkpoint")
    tree_dir: str = option("", "final.mdl with the transition model, tree, phones.txt; empty: none")
    feature_dim: int = option(0, "Of features, where neither network nor configuration says it (WideResnet)")
    prior_name: str = option("priors", "File of log-priors beside the configuration, for cross-entropy")


def import_checkpoint(options: Options, checkpoint: str, folder: str) -> int:
    from steps_pytorch.models.nnet_pytorch import conversion  # imports torch
    from steps_pytorch.models.nnet_pytorch.configuration import NAME

    conf = Path(options.conf) if options.conf else Path(checkpoint).parent / NAME
    tree_dir = Path(options.tree_dir) if options.tree_dir else None
    conversion.import_checkpoint(
        Path(checkpoint), conf, Path(folder), tree_dir, options.feature_dim, options.prior_name
    )
    return 0


main = command(import_checkpoint, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
