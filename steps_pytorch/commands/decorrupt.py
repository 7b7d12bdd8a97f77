"""nnet-pytorch-decorrupt: what steps_pytorch/decorrupt.sh runs."""

from __future__ import annotations

from pathlib import Path

from kaldi_bridge.command import command
from steps_pytorch.generation.options import DecorruptOptions

USAGE = """Move noisy features towards those that a trained model knows, as features, pictures and recordings.
Usage: nnet-pytorch-decorrupt [options] <data-dir> <model-dir> <out-dir>
e.g.: nnet-pytorch-decorrupt --corruption=gauss --corruption-level=0.5 --fbank-config=conf/fbank.conf \\
 data/test exp/wrn_semisup exp/wrn_semisup/decorrupt
Writes feats.scp, pictures/<utterance>.png and wav/<utterance>.wav."""


def decorrupt(options: DecorruptOptions, data_dir: str, model_dir: str, out_dir: str) -> int:
    from steps_pytorch.generation import program  # imports torch

    return program.decorrupt(options, data_dir, Path(model_dir), Path(out_dir))


main = command(decorrupt, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
