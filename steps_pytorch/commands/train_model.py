"""nnet-pytorch-train-model: what steps_pytorch/train.sh runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.errors import KaldiError
from steps_pytorch.training.run.options import Run, RunOptions

USAGE = """Train an acoustic model on chunks that are made on the fly, into a model directory that decode.sh takes.
Usage: nnet-pytorch-train-model [options] <data-dir> <targets-dir> <dir>
e.g.: nnet-pytorch-train-model --store=exp/store --cmvn-opts="--norm-means=true --norm-vars=true" --tree-dir=exp/tree \\
 --model-opts="--network=network.xconfig" data/train exp/supervision exp/tdnnf
<targets-dir>: supervision.scp for LF-MMI (make_supervisions.sh), ali.*.gz and final.mdl for cross-entropy.
Under torchrun, all its processes train one model together; with --num-jobs-initial, jobs through --cmd do."""


@dataclass
class Options(RunOptions):
    """See steps_pytorch/training/run/options.py."""


def train_model(options: Options, *arguments: str) -> int:
    from steps_pytorch.training.run import program  # imports torch

    if options.models:
        write_stdout(program.known())
        return 0
    if len(arguments) != 3:
        raise KaldiError(f"wrong number of arguments: {len(arguments)}, not 3; --help tells more")
    data, targets, folder = arguments
    return program.run(Run(RunOptions(**vars(options)), data, targets, Path(folder)))


main = command(train_model, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
