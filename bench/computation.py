"""How fast networks compute on one thread: TDNN-F networks of two sizes, one that begins with convolutions, and
recurrences of each kind that xconfigs have and attention, against Kaldi and this machine's sgemm.

    python bench/computation.py [mini] [large] [cnn] [lstmp] ... [--chunk=150] [--repeat=5] [--products]

Twelve utterances of 1 to 20 s (8870 frames), 40 features, frame subsampling 3, random parameters; in each precision,
without torch, with what this processor has (NNET_PYTORCH_INSTRUCTIONS: less than that). What has a memory sees 40
frames more before each chunk (and behind it, where it goes backwards), as in Kaldi's recipes. Where nnet3-compute is on
the PATH it runs on the same model and features (its own time, start-up included). All times are the processor's, which
other programs disturb less than the wall clock, and of the same round. GFLOP/s count the matrix products for exactly
the frames that the outputs need (not of recurrences, which see Kaldi's chunks). --products: also each size of matrix
alone, beside sgemm of the same size, its weights in the second cache already.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import resource
import shutil
import subprocess
import tempfile
import time
from typing import Any

import numpy as np
import torch

from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.components import set_seed
from nnet3_compat.folded import _csrc as folded
from nnet3_compat.folded.model import folded_model
from nnet3_compat.folded.precision import PRECISIONS
from nnet3_compat.model.model_file import write_model
from nnet3_compat.modules.time_height import TimeHeightConvolution
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.utterances.computation import Computer, Utterance
from nnet3_compat.utterances.computation_options import SimpleComputationOptions
from nnet3_compat.xconfig.nnet import nnet_of_xconfig

FRAMES = [100, 230, 360, 480, 550, 620, 700, 780, 850, 950, 1250, 2000]
SIZES = {
    "mini": {"dim": 768, "bottleneck": 96, "strides": [1, 1, 1, 0] + [3] * 8, "small": 192, "outputs": 2336},
    "large": {"dim": 1536, "bottleneck": 160, "strides": [1, 1, 1, 0] + [3] * 12, "small": 256, "outputs": 6000},
    "cnn": {
        "dim": 1536, "bottleneck": 160, "strides": [0, *[3] * 8], "small": 256, "outputs": 2336,
        "filters": [(64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1)],
    },
}  # fmt: skip
FACTOR = 3
"""Input frames per output frame."""

WARM_UP = 40
"""Frames more on the side that a recurrence comes from."""
OUTPUT = "output-layer name=output dim=2336 include-log-softmax=false"
TDNN = "relu-batchnorm-layer name=tdnn{} dim=512 input=Append(-{step},0,{step})"
PROJECTED = "recurrent-projection-dim=128 non-recurrent-projection-dim=128"
LSTMP = "fast-lstmp-layer name={} cell-dim=512 delay={}3 input={} " + PROJECTED


def two_layers(layer: str) -> list[str]:
    """Of 512 cells, after a TDNN."""
    return [TDNN.format(1, step=1), *(f"{layer} name=layer{number} cell-dim=512 delay=-3" for number in (1, 2)), OUTPUT]


XCONFIGS = {
    "lstmp": [
        *(TDNN.format(number, step=1) for number in (1, 2)),
        LSTMP.format("lstm1", "-", "tdnn2"),
        *(TDNN.format(number, step=3) for number in (3, 4)),
        LSTMP.format("lstm2", "-", "tdnn4"),
        *(TDNN.format(number, step=3) for number in (5, 6)),
        LSTMP.format("lstm3", "-", "tdnn6"),
        OUTPUT,
    ],
    "lstm": two_layers("fast-lstm-layer"),
    "lstmp-parts": two_layers(f"lstmp-layer {PROJECTED}"),
    "blstmp": [
        LSTMP.format("forward1", "-", "input"),
        LSTMP.format("backward1", "", "input"),
        LSTMP.format("forward2", "-", "Append(forward1, backward1)"),
        LSTMP.format("backward2", "", "Append(forward1, backward1)"),
        f"{OUTPUT} input=Append(forward2, backward2)",
    ],
    "gru": two_layers("gru-layer"),
    "pgru": two_layers(f"fast-pgru-layer {PROJECTED}"),
    "opgru": two_layers(f"fast-opgru-layer {PROJECTED}"),
    "attention": [
        TDNN.format(1, step=1),
        TDNN.format(2, step=3),
        "attention-relu-renorm-layer name=attention num-heads=15 value-dim=60 key-dim=40 num-left-inputs=5 "
        "num-right-inputs=2 num-left-inputs-required=1 num-right-inputs-required=1 time-stride=3",
        OUTPUT,
    ],
    "small": [
        TDNN.format(1, step=1).replace("512", "64"),
        "fast-lstmp-layer name=lstm1 cell-dim=64 recurrent-projection-dim=16 non-recurrent-projection-dim=16 delay=-3",
        OUTPUT.replace("2336", "100"),
    ],
}
"""Lines of xconfigs after that of the input."""


def config(
    dim: int,
    bottleneck: int,
    strides: list[int],
    small: int,
    outputs: int,
    filters: list[tuple[int, int]] | None = None,
) -> list[str]:
    """The network of Kaldi's (mini-)LibriSpeech chain recipes as config lines.

    ``filters``: of convolutions that it begins with, and of how many heights each keeps one.
    """
    lines = ["input-node name=input dim=40"]

    def add(name: str, kind: str, what: str, source: str) -> str:
        lines.append(f"component name={name} type={kind} {what}")
        lines.append(f"component-node name={name} component={name} input={source}")
        return name

    def relu_norm(name: str, source: str, size: int) -> str:
        at = add(f"{name}.relu", "RectifiedLinearComponent", f"dim={size}", source)
        return add(f"{name}.batchnorm", "BatchNormComponent", f"dim={size}", at)

    at, height, number_in = "input", 40, 1
    for number, (number_out, step) in enumerate(filters or [], 1):
        shape = f"num-filters-in={number_in} num-filters-out={number_out} height-in={height} "
        height, number_in = height // step, number_out
        shape += f"height-out={height} height-subsample-out={step} time-offsets=-1,0,1 height-offsets=-1,0,1"
        at = add(f"cnn{number}.conv", "TimeHeightConvolutionComponent", shape, at)
        at = relu_norm(f"cnn{number}", at, height * number_out)
    width = height * number_in
    if not filters:
        width = 120
        spliced = "Append(Offset(input, -1), input, Offset(input, 1))"
        at = add("lda", "NaturalGradientAffineComponent", "input-dim=120 output-dim=120", spliced)
    at = add("tdnn1.affine", "NaturalGradientAffineComponent", f"input-dim={width} output-dim={dim}", at)
    at = add("tdnn1.dropout", "GeneralDropoutComponent", f"dim={dim} continuous=true", relu_norm("tdnn1", at, dim))
    for number, stride in enumerate(strides, 2):
        name, below = f"tdnnf{number}", at
        left, right = (f"-{stride},0", f"0,{stride}") if stride else ("0", "0")
        shape = f"input-dim={dim} output-dim={bottleneck} use-bias=false time-offsets={left}"
        at = add(f"{name}.linear", "TdnnComponent", shape, at)
        at = add(f"{name}.affine", "TdnnComponent", f"input-dim={bottleneck} output-dim={dim} time-offsets={right}", at)
        at = relu_norm(name, at, dim)
        at = add(f"{name}.dropout", "GeneralDropoutComponent", f"dim={dim} continuous=true", at)
        at = add(f"{name}.noop", "NoOpComponent", f"dim={dim}", f"Sum(Scale(0.66, {below}), {at})")
    at = add("prefinal-l", "LinearComponent", f"input-dim={dim} output-dim={small}", at)
    at = add("prefinal.affine", "NaturalGradientAffineComponent", f"input-dim={small} output-dim={dim}", at)
    at = relu_norm("prefinal", at, dim)
    at = add("prefinal.linear", "LinearComponent", f"input-dim={dim} output-dim={small}", at)
    at = add("prefinal.batchnorm2", "BatchNormComponent", f"dim={small}", at)
    at = add("output.affine", "NaturalGradientAffineComponent", f"input-dim={small} output-dim={outputs}", at)
    return [*lines, f"output-node name=output input={at}"]


def make_nnet(size: str) -> Nnet:
    set_seed(1)
    if size in SIZES:
        nnet = Nnet.from_config(config(**SIZES[size]))
    else:
        nnet = nnet_of_xconfig(["input name=input dim=40", *XCONFIGS[size]])
    random = np.random.default_rng(1)
    component: Any
    for name, component in nnet.components.items():
        if name == "output.affine" and size in XCONFIGS:  # zero at first
            component.linear_params = random.normal(0, 0.05, component.linear_params.shape).astype(np.float32)
        if component.TYPE == "BatchNormComponent":
            dim = len(component.stats_sum)
            mean = random.normal(0.4, 0.1, dim)
            component.count = type(component.count)(1000)
            component.stats_sum = 1000 * mean
            component.stats_sumsq = 1000 * (mean**2 + random.uniform(0.3, 1.0, dim))
    return nnet


def sgemm() -> float:
    """GFLOP/s of large matrix products, for about as long as networks compute: a moment can be quieter than that."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    return 30 * 2 * 1024**3 / timed(lambda: [torch.mm(a, b) for _ in range(30)]) / 1e9


def report_products(nnet: Nnet) -> None:
    """Of 256 rows with each size of matrix that there is."""
    random = np.random.default_rng(2)
    parameters = [getattr(c, name, None) for c in nnet.components.values() for name in ("linear_params", "params")]
    sizes = {matrix.shape for matrix in parameters if matrix is not None and np.ndim(matrix) == 2}
    print("outputs  inputs  GFLOP/s    sgemm  of sgemm")
    for outputs, inputs in sorted(sizes):
        weights, x = (random.normal(size=(n, inputs)).astype(np.float32) for n in (outputs, 256))
        nothing = np.zeros(outputs, np.float32)
        matrix = folded.float32_matrix(weights, nothing, nothing)
        a, b = torch.from_numpy(x), torch.from_numpy(weights).T.contiguous()
        times = [(timed(lambda: matrix.multiply(x)), timed(lambda: torch.mm(a, b))) for _ in range(200)]  # noqa: B023
        ours, theirs = (2e-9 * 256 * outputs * inputs / min(column) for column in zip(*times, strict=True))
        print(f"{outputs:7} {inputs:7} {ours:8.1f} {theirs:8.1f} {ours / theirs:9.0%}")


def timed(work) -> float:
    """Seconds of the processor."""
    start = time.process_time()
    work()
    return time.process_time() - start


def needed_flops(network: Network) -> float:
    """Of the matrix products, for all utterances."""
    graph, total = network.graph(), 0.0
    for frames in FRAMES:
        layout = network.layout(network.request(-(-frames // FACTOR), factor=FACTOR))
        for g, group in enumerate(graph.groups):
            name = graph.values[group.members[0]].component
            module = network.components[network._keys[name]] if name else None
            for attribute in ("linear_params", "params"):
                weight = getattr(module, attribute, None)
                if weight is not None and weight.dim() == 2:
                    heights = module.last // module.step + 1 if isinstance(module, TimeHeightConvolution) else 1
                    total += 2.0 * layout[g][0] * heights * weight.numel()
    return total


def kaldi_seconds(folder: str, chunk: int, warm_up: tuple[int, int]) -> float | None:
    """Of real nnet3-compute on the same; None where there is none."""
    if shutil.which("nnet3-compute") is None:
        return None
    options = ["--use-gpu=no", "--frame-subsampling-factor=3", f"--frames-per-chunk={chunk}"]
    options += [f"--extra-{side}-context={frames}" for side, frames in zip(("left", "right"), warm_up, strict=True)]
    files = [f"{folder}/model", f"ark:{folder}/feats", "ark:/dev/null"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["nnet3-compute", *options, *files], capture_output=True, check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write_files(folder: str, nnet: Nnet, features: dict[str, np.ndarray]) -> None:
    """For nnet3-compute."""
    write_model(f"{folder}/model", nnet)
    with TableWriter(f"ark:{folder}/feats", FLOAT_MATRIX) as writer:
        for key, value in features.items():
            writer.write(key, value)


def computers(nnet: Nnet, chunk: int, warm_up: tuple[int, int]) -> dict[str, Computer]:
    """In each precision."""
    options = SimpleComputationOptions(
        acoustic_scale=1.0,
        frame_subsampling_factor=FACTOR,
        frames_per_chunk=chunk,
        extra_left_context=warm_up[0],
        extra_right_context=warm_up[1],
    )
    models = {precision: folded_model(nnet, FACTOR, 1, precision) for precision in PRECISIONS}
    return {precision: Computer(model, options) for precision, model in models.items() if model is not None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=[*SIZES, *XCONFIGS], help=", ".join([*SIZES, *XCONFIGS]))
    parser.add_argument("--chunk", type=int, default=150)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--products", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    features = {f"utt{i:02d}": random.normal(size=(n, 40)).astype(np.float32) for i, n in enumerate(FRAMES)}
    frames = sum(FRAMES)
    print(f"{len(FRAMES)} utterances, {frames} frames, torch {torch.__version__}, chunk {arguments.chunk} for Kaldi")
    print("network   precision  frames/s  GFLOP/s    sgemm  of sgemm    Kaldi  times")
    for size in arguments.sizes:
        nnet = make_nnet(size)
        warm_up = (WARM_UP if size in XCONFIGS else 0, WARM_UP if size == "blstmp" else 0)
        ours = computers(nnet, arguments.chunk, warm_up)
        flops = needed_flops(Network.from_nnet(nnet)) if size in SIZES else float("nan")

        def work(computer: Computer) -> None:
            for _ in computer.compute_many(Utterance(k, v) for k, v in features.items()):
                pass

        best_gemm, best, theirs = 0.0, dict.fromkeys(ours, float("inf")), float("inf")
        with tempfile.TemporaryDirectory() as folder:
            write_files(folder, nnet, features)
            for _ in range(arguments.repeat):
                best_gemm = max(best_gemm, sgemm())
                for precision, computer in ours.items():
                    best[precision] = min(best[precision], timed(lambda computer=computer: work(computer)))
                theirs = min(theirs, kaldi_seconds(folder, arguments.chunk, warm_up) or float("inf"))
        for precision, seconds in best.items():
            rate = flops / seconds / 1e9
            print(
                f"{size:9} {precision:9} {frames / seconds:9.0f} {rate:8.1f} {best_gemm:8.1f} {rate / best_gemm:9.0%} "
                f"{frames / theirs:8.0f} {theirs / seconds:6.2f}"
            )
        if arguments.products:
            report_products(nnet)


if __name__ == "__main__":
    main()
