"""nnet-pytorch-generate: what steps_pytorch/generate.sh runs."""

from __future__ import annotations

from pathlib import Path

from kaldi_bridge.command import command
from steps_pytorch.generation.options import GenerateOptions

USAGE = """Generate features from a trained model, as features, pictures and recordings.
Usage: nnet-pytorch-generate [options] <model-dir> <out-dir>
e.g.: nnet-pytorch-generate --fbank-config=conf/fbank.conf --phones="sil w ah n sil" exp/wrn_semisup exp/wrn_semisup/one
Writes feats.scp, pictures/<sample>.png and wav/<sample>.wav. The model is the last checkpoint of a run of train.sh."""


def generate(options: GenerateOptions, model_dir: str, out_dir: str) -> int:
    from steps_pytorch.generation import program  # imports torch

    return program.generate(options, Path(model_dir), Path(out_dir))


main = command(generate, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
