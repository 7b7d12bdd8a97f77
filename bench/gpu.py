"""How fast a GPU computes: LF-MMI's kernels beside PyChain's, a training step, networks in batches, in each precision.

    python bench/gpu.py [--device=cuda] [--small]

Denominator: 128 sequences of 50 frames on a made graph of 3000 pdfs, 20 k states and 100 k arcs. Numerator: 64
flat-start sequences of 150 frames and 80 states, in C++ on the CPU (what is used), packed for the GPU, and by the GPU's
kernels. Training step: the TDNN-F of mini-LibriSpeech's recipe, forward and backward of 64 chunks of 450 frames with
LF-MMI. Network: its output for 64 chunks of 150 frames, launched by Python or as a CUDA graph. --device=cpu --small
only tries the script.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import torch
from chain import made_graph, made_supervision
from computation import SIZES, config
from torch import Tensor

from kaldi_bridge.examples.supervision import Supervision
from nnet3_compat.chain import ChainLoss
from nnet3_compat.chain.backends import pychain
from nnet3_compat.chain.denominator import denominator
from nnet3_compat.chain.numerator import numerator
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet

LEAKY, FACTOR, ROUNDS = 1e-5, 3, 10
PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


def milliseconds(function: Callable[[], object], device: torch.device, rounds: int = ROUNDS) -> float:
    """The fastest of several rounds, after one that compiles."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    times = []
    for _ in range(rounds + 1):
        wait()
        begin = time.perf_counter()
        function()
        wait()
        times.append(time.perf_counter() - begin)
    return 1000 * min(times[1:])


def row(name: str, value: float, note: str = "") -> None:
    print(f"{name:<44} {value:>10.2f} ms  {note}", flush=True)


def some_supervision(num_pdfs: int, num_states: int, small: bool) -> Supervision:
    """For flat start: 64 sequences of 150 frames, or few short ones."""
    whole = made_supervision(num_pdfs, 10 if small else num_states)
    sequences, frames = (2, 15) if small else (whole.num_sequences, whole.frames_per_sequence)
    return Supervision(1.0, sequences, frames, num_pdfs, None, whole.e2e_fsts[:sequences])


def measure_chain(device: torch.device, small: bool) -> None:
    graph = made_graph(200, 1000, 50) if small else made_graph()
    sequences = 4 if small else 128
    output = torch.randn(10 if small else 50, sequences, graph.num_pdfs, device=device)
    backends = ["auto", *(["pychain"] if pychain() else [])]
    for backend in backends:
        made = milliseconds(lambda backend=backend: denominator(graph, output, LEAKY, backend=backend), device)
        row(f"denominator, {backend}", made)
    supervision = some_supervision(graph.num_pdfs, 80, small)
    frames, count = supervision.frames_per_sequence, supervision.num_sequences
    output = torch.randn(frames, count, graph.num_pdfs, device=device)
    row("numerator, C++ on the CPU", milliseconds(lambda: numerator([supervision], output), device))
    if device.type == "cuda" or os.environ.get("TRITON_INTERPRET") == "1":
        from nnet3_compat.chain.numerator_triton import numerator_triton, pack

        rounds = 1 if small else ROUNDS
        row("numerator, packed for the GPU", milliseconds(lambda: pack([supervision], output.shape, device), device, 1))
        packed = pack([supervision], output.shape, device)
        row("numerator, Triton", milliseconds(lambda: numerator_triton(packed, output), device, rounds))


def measure_training(device: torch.device, network: Network, small: bool) -> None:
    outputs = SIZES["mini"]["outputs"]
    graph = made_graph(200, 1000, outputs) if small else made_graph(num_pdfs=outputs)
    supervision = some_supervision(outputs, 40, small)
    frames, sequences = supervision.frames_per_sequence, supervision.num_sequences
    loss = ChainLoss(graph)
    inputs = torch.randn(sequences, network.request(frames, factor=FACTOR).num_inputs, 40, device=device)
    for name, kind in PRECISIONS.items():
        if kind is torch.float16:
            continue  # without scaled losses its derivatives vanish

        def step(kind: torch.dtype | None = kind) -> None:
            with torch.autocast(device.type, kind, enabled=kind is not None):
                output = network(inputs, factor=FACTOR)
            loss(output.float(), supervision).backward()
            network.zero_grad()

        made = milliseconds(step, device, 1 if small else ROUNDS)
        row(f"training step, {name}", made, f"{sequences * frames * FACTOR / made:.0f} k frames/s")


@torch.no_grad()
def measure_decoding(device: torch.device, network: Network, small: bool) -> None:
    sequences, frames = (2, 10) if small else (64, 50)
    inputs = torch.randn(sequences, network.request(frames, factor=FACTOR).num_inputs, 40, device=device)
    for name, kind in PRECISIONS.items():

        def compute(kind: torch.dtype | None = kind) -> Tensor:
            with torch.autocast(device.type, kind, enabled=kind is not None, cache_enabled=False):
                return network(inputs, factor=FACTOR)

        frames_in = sequences * frames * FACTOR
        made = milliseconds(compute, device, 1 if small else ROUNDS)
        row(f"network, {name}", made, f"{frames_in / made:.0f} k frames/s")
        if device.type != "cuda":
            continue
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            captured = compute()
        made = milliseconds(graph.replay, device)
        difference = float((captured - compute()).abs().max())
        row(f"network, {name}, CUDA graph", made, f"{frames_in / made:.0f} k frames/s, off by {difference:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    torch.manual_seed(0)
    measure_chain(device, arguments.small)
    network = Network.from_nnet(Nnet.from_config(config(**SIZES["mini"]))).to(device)
    measure_training(device, network.train(), arguments.small)
    measure_decoding(device, network.eval(), arguments.small)


if __name__ == "__main__":
    main()
