"""The files that a network can leave as, beside each other and beside Kaldi: TorchScript, torch.export, compiled ahead
of time, ONNX.

    python bench/exports.py [small] [mini] [large] [lstm] [--frames=999] [--rounds=3] [--no-aot]

Random TDNN-F networks (those of computation.py, and a small one) and a fast LSTM with projection, frame subsampling 3,
one utterance, one thread. "eager" is the Network in torch, "nnet3" the file of nnet3 as our programs compute it,
"nnet3-compute" Kaldi's own program where that is on the PATH: what ten more utterances cost it, each in one chunk.
Seconds are of the processor, since files are made and loaded once; frames per second are the best of some rounds, in
turn, the first call left out. "differs" is the largest difference from the network in torch.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import beside_kaldi
import computation
import numpy as np
import torch

from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.export.onnx import export_onnx
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.export.torchscript import Kind, export_network
from nnet3_compat.folded.precision import FLOAT32
from nnet3_compat.model.model_file import Archive
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.utterances.loading import load_model
from nnet3_compat.xconfig.nnet import nnet_of_xconfig

FACTOR = 3
MORE = 30  # utterances of Kaldi's longer run
SMALL = {"dim": 128, "bottleneck": 32, "strides": [1, 0, 3], "small": 64, "outputs": 200}
LSTM = [
    "input dim=40 name=input",
    "relu-layer name=tdnn1 input=Append(-2,-1,0,1,2) dim=512",
    "fast-lstmp-layer name=lstm1 cell-dim=512 recurrent-projection-dim=128 non-recurrent-projection-dim=128 delay=-3",
    "relu-layer name=tdnn2 input=Append(-3,0,3) dim=512",
    "fast-lstmp-layer name=lstm2 cell-dim=512 recurrent-projection-dim=128 non-recurrent-projection-dim=128 delay=-3",
    "output-layer name=output dim=2336 include-log-softmax=false param-stddev=0.1",
]
Run = Callable[[], np.ndarray]


@dataclass
class Row:
    """A line of the table: seconds to make and to load a file of so many megabytes, and what computes with it."""

    name: str
    run: Run
    made: float = float("nan")
    loaded: float = float("nan")
    megabytes: float = float("nan")
    best: float = float("inf")


def seconds(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the processor's time that it takes; a compiler's is counted too."""
    before = os.times()
    made = work()
    after = os.times()
    return made, sum(after[:4]) - sum(before[:4])


class Utterance:
    """Random features, as they are and with the network's context around them."""

    def __init__(self, network: Network, frames: int) -> None:
        self.plain = torch.randn(frames, network.input_dim)
        time = torch.arange(-network.left_context, frames + network.right_context).clamp(0, frames - 1)
        self.padded = self.plain[time].unsqueeze(0)


def exported(network: Network, utterance: Utterance, kind: Kind) -> Row:
    data, made = seconds(lambda: export_network(network, frame_subsampling_factor=FACTOR, kind=kind).archive())
    return archive_row(kind, data, made, utterance)


def archive_row(name: str, data: bytes, made: float, utterance: Utterance) -> Row:
    model, loaded = seconds(lambda: TorchModel.from_archive(Archive(data), name))
    return Row(name, lambda: model(utterance.padded).numpy()[0], made, loaded, len(data) / 1e6)


def nnet3_row(nnet: Nnet, network: Network, utterance: Utterance) -> Row:
    (model, _), loaded = seconds(lambda: load_model(nnet, FACTOR, "no", FLOAT32))
    features, left = utterance.padded.numpy(), network.left_context
    outputs = -(-len(utterance.plain) // FACTOR)
    return Row("nnet3", lambda: model(features, None, left, outputs)[0], loaded=loaded)


class Kaldi:
    """nnet3-compute on one utterance, and on some more, in a folder."""

    def __init__(self, folder: str, nnet: Nnet, utterance: Utterance) -> None:
        frames = len(utterance.plain)
        self._runs = []
        for count in (1, 1 + MORE):
            part = Path(folder, str(count))
            part.mkdir()
            computation.write_files(str(part), nnet, {f"u{n:02}": utterance.plain.numpy() for n in range(count)})
            self._runs.append(
                f"OPENBLAS_NUM_THREADS=1 nnet3-compute --use-gpu=no --frame-subsampling-factor={FACTOR} "
                f"--frames-per-chunk={frames} {part}/model ark:{part}/feats ark:{part}/out"
            )
        self._out = f"ark:{folder}/1/out"
        self._best = [float("inf")] * len(self._runs)

    def output(self) -> np.ndarray:
        beside_kaldi.seconds(self._runs[0])
        return next(iter(SequentialReader(self._out, FLOAT_MATRIX)))[1]

    def seconds(self) -> float:
        """Of the processor, for an utterance, by the best runs so far: the least difference would be luck."""
        self._best = [min(best, beside_kaldi.seconds(run)[1]) for best, run in zip(self._best, self._runs, strict=True)]
        return (self._best[1] - self._best[0]) / MORE


def table(size: str, frames: int, rounds: int, kinds: list[Kind]) -> None:
    nnet = nnet_of_xconfig(LSTM) if size == "lstm" else computation.make_nnet(size)
    network = Network.from_nnet(nnet).eval()
    utterance = Utterance(network, frames)
    rows = [Row("eager", lambda: network(utterance.padded, factor=FACTOR)[0].numpy())]
    rows.append(nnet3_row(nnet, network, utterance))
    rows += [exported(network, utterance, kind) for kind in kinds]
    data, made = seconds(lambda: export_onnx(network, frame_subsampling_factor=FACTOR))
    rows.append(archive_row("onnx", data, made, utterance))
    with tempfile.TemporaryDirectory() as folder:
        kaldi = Kaldi(folder, nnet, utterance) if beside_kaldi.kaldi_has("nnet3-compute") else None
        kaldi_row = Row("nnet3-compute", kaldi.output if kaldi else lambda: np.zeros(0))
        want = rows[0].run()
        differs = [float(np.abs(row.run() - want).max()) for row in [*rows, *([kaldi_row] if kaldi else [])]]
        for _ in range(rounds):
            for row in rows:
                start = time.process_time()
                row.run()
                row.best = min(row.best, time.process_time() - start)
            if kaldi:
                kaldi_row.best = kaldi.seconds()
    for row, error in zip([*rows, kaldi_row], differs, strict=False):
        figures = f"{row.made:9.1f} {row.loaded:7.1f} {row.megabytes:7.1f}".replace("nan", "  -")
        print(f"{size:8} {row.name:14} {figures} {frames / row.best:9.0f} {error:9.1e}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=["mini"], help="small, mini, large, lstm")
    parser.add_argument("--frames", type=int, default=999)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-aot", action="store_true", help="without a C++ compiler")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    computation.SIZES["small"] = SMALL
    kinds: list[Kind] = ["torchscript", "pt2", *([] if arguments.no_aot else ["aot"])]
    print(f"torch {torch.__version__}, one utterance of {arguments.frames} frames")
    print(
        f"{'network':8} {'file':14} {'export s':>9} {'load s':>7} {'MB':>7} {'frames/s':>9} {'differs':>9}", flush=True
    )
    for size in arguments.sizes:
        table(size, arguments.frames, arguments.rounds, kinds)


if __name__ == "__main__":
    main()
