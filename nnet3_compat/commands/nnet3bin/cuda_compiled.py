"""nnet-pytorch-cuda-compiled: twin of cuda-compiled."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.machine.torch_build import built_for_gpus

USAGE = """Exit with status 0 where PyTorch was built for GPUs, else with 1.
Usage: nnet-pytorch-cuda-compiled
e.g.: nnet-pytorch-cuda-compiled && echo --use-gpu=yes"""


@dataclass
class Options:
    """No options of its own."""


def cuda_compiled(options: Options) -> int:
    return 0 if built_for_gpus() else 1


main = command(cuda_compiled, usage=USAGE)

if __name__ == "__main__":
    main()
