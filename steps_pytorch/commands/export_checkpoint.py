"""nnet-pytorch-export-checkpoint: models that came from m-wiesner/nnet_pytorch, back to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.command import command

USAGE = """Write a model that was imported from m-wiesner/nnet_pytorch, or trained on from there, as its checkpoint,
for its decode.py and train.py --init. Writes conf.1.json beside it.
Usage: nnet-pytorch-export-checkpoint <model> <checkpoint>
e.g.: nnet-pytorch-export-checkpoint exp/wrn_here/final.mdl exp/wrn_back/final.mdl"""


@dataclass
class Options:
    """This program has none of its own."""


def export_checkpoint(options: Options, model: str, checkpoint: str) -> int:
    from steps_pytorch.models.nnet_pytorch import conversion  # imports torch

    conversion.export_checkpoint(model, Path(checkpoint))
    return 0


main = command(export_checkpoint, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
