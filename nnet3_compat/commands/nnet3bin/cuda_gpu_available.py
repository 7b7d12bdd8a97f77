"""nnet-pytorch-cuda-gpu-available: twin of cuda-gpu-available."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from nnet3_compat.machine.torch_build import built_for_gpus

USAGE = """Exit with status 0 where PyTorch computes on a GPU here (a small computation is tried), with 1 where it was
built without GPUs, and with 255 where there is none or it does not work.
Usage: nnet-pytorch-cuda-gpu-available
e.g.: nnet-pytorch-cuda-gpu-available && echo --use-gpu=yes"""


@dataclass
class Options:
    """No options of its own."""


def cuda_gpu_available(options: Options) -> int:
    if not built_for_gpus():
        print("### This PyTorch was built without GPUs", file=sys.stderr)
        return 1
    from nnet3_compat.machine.device import try_gpu

    problem = try_gpu()
    if problem:
        raise KaldiError(f"there is no GPU to compute with: {problem}")
    print("### A GPU is there, and computes", file=sys.stderr)
    return 0


main = command(cuda_gpu_available, usage=USAGE)

if __name__ == "__main__":
    main()
