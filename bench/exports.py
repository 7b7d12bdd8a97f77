"""The files that a network can leave as, beside each other: TorchScript, torch.export, compiled ahead of time, ONNX.

    python bench/exports.py [small] [mini] [large] [--frames=1000] [--rounds=3] [--no-aot]

Random TDNN-F networks (those of computation.py, and a small one) with frame subsampling 3, one utterance, one thread.
Seconds are of the processor, since files are made and loaded once; frames per second are the best of some rounds, in
turn, the first call left out. "differs" is the largest difference from the network itself.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
from collections.abc import Callable
from typing import Any

import computation
import numpy as np
import torch

from nnet3_compat.export.onnx import export_onnx
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.export.torchscript import export_network
from nnet3_compat.model.model_file import Archive
from nnet3_compat.network.network import Network

FACTOR = 3
SMALL = {"dim": 128, "bottleneck": 32, "strides": [1, 0, 3], "small": 64, "outputs": 200}
Run = Callable[[torch.Tensor], np.ndarray]


def seconds(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the processor's time that it takes; a compiler's is counted too."""
    before = os.times()
    made = work()
    after = os.times()
    return made, sum(after[:4]) - sum(before[:4])


def archive_run(data: bytes) -> Run:
    model = TorchModel.from_archive(Archive(data), "model")
    return lambda features: model(features).numpy()


def onnx_run(data: bytes) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options)
    return lambda features: session.run(["output"], {"features": features.numpy()})[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=["mini"], help="small, mini, large")
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-aot", action="store_true", help="without a C++ compiler")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    computation.SIZES["small"] = SMALL
    print(f"torch {torch.__version__}, one utterance of {arguments.frames} frames")
    print(f"{'network':8} {'file':12} {'export s':>9} {'load s':>7} {'MB':>7} {'frames/s':>9} {'differs':>9}")
    for size in arguments.sizes:
        network = Network.from_nnet(computation.make_nnet(size)).eval()
        formats: dict[str, tuple[Callable[[], bytes], Callable[[bytes], Run]]] = {
            "torchscript": (
                lambda n=network: export_network(n, frame_subsampling_factor=FACTOR).archive(),
                archive_run,
            ),
            "pt2": (
                lambda n=network: export_network(n, frame_subsampling_factor=FACTOR, kind="pt2").archive(),
                archive_run,
            ),
            "aot": (
                lambda n=network: export_network(n, frame_subsampling_factor=FACTOR, kind="aot").archive(),
                archive_run,
            ),
            "onnx": (lambda n=network: export_onnx(n, frame_subsampling_factor=FACTOR), onnx_run),
        }
        if arguments.no_aot:
            del formats["aot"]
        context = network.left_context + network.right_context
        features = torch.randn(1, arguments.frames + context, network.input_dim)
        want = network(features, factor=FACTOR).numpy()
        rows: dict[str, list[float]] = {}
        runs: dict[str, Run] = {}
        for name, (export, load) in formats.items():
            data, made = seconds(export)
            runs[name], loaded = seconds(lambda load=load, data=data: load(data))
            rows[name] = [made, loaded, len(data) / 1e6, float(np.abs(runs[name](features) - want).max())]
        best = dict.fromkeys(runs, float("inf"))
        for _ in range(arguments.rounds):
            for name, run in runs.items():
                start = time.process_time()
                run(features)
                best[name] = min(best[name], time.process_time() - start)
        for name, (made, loaded, megabytes, error) in rows.items():
            rate = arguments.frames / best[name]
            print(f"{size:8} {name:12} {made:9.1f} {loaded:7.1f} {megabytes:7.1f} {rate:9.0f} {error:9.1e}")


if __name__ == "__main__":
    main()
