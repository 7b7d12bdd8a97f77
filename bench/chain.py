"""How fast LF-MMI's forward-backward is: C++ beside plain PyTorch, PyChain and Kaldi's figure; on a GPU Triton.

    python bench/chain.py [--shared=../shared] [--threads=1]

A minibatch of 64 sequences of 50 frames, on the reference's small graph (where it lies beside the checkout) and on a
made one of 3000 pdfs, 20 k states and 100 k random arcs. PyChain is timed where it can be imported. Kaldi's CPU code
took 2.9 s for the large graph on a core whose sgemm ran at 105 GFLOP/s; the figure is scaled to this machine's sgemm.
Bytes are those that arcs read and write of alphas, betas, likelihoods and posteriors, mostly in the caches; the copy of
a large array gives the memory's bandwidth. The numerator: flat-start supervisions of 80 states and 150 frames each, and
the denominator beside it.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from computation import sgemm
from torch import Tensor

from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.fst import Fst, read_fst
from nnet3_compat.chain import DenominatorGraph
from nnet3_compat.chain.backends import pychain
from nnet3_compat.chain.denominator import denominator
from nnet3_compat.chain.numerator import numerator

FRAMES, SEQUENCES, LEAKY = 50, 64, 1e-5
KALDI_SECONDS, KALDI_SGEMM = 2.9, 105.0
VALUES_PER_ARC = 2 + 4  # forward: alpha, likelihood; backward: beta, likelihood, posterior in and out


def made_graph(num_states: int = 20_000, num_arcs: int = 100_000, num_pdfs: int = 3_000) -> DenominatorGraph:
    """Random arcs, and a cycle through all states."""
    random = np.random.default_rng(0)
    states = np.arange(num_states)
    source = np.concatenate([states, random.integers(0, num_states, num_arcs - num_states)])
    target = np.concatenate([np.roll(states, 1), random.integers(0, num_states, num_arcs - num_states)])
    probability = (1.0 / np.bincount(source, minlength=num_states))[source].astype(np.float32)
    initial = np.full(num_states, 1.0 / num_states, np.float32)
    pdf = random.integers(0, num_pdfs, num_arcs)
    return DenominatorGraph(num_states, num_pdfs, source, target, pdf, probability, initial)


def made_supervision(num_pdfs: int, num_states: int = 80) -> Supervision:
    """For flat start: states in a row, with loops."""
    fsts = []
    for pdfs in np.random.default_rng(0).integers(1, num_pdfs + 1, (SEQUENCES, num_states)).tolist():
        onwards = [(s, pdf, pdf, 0.5, s + 1) for s, pdf in enumerate(pdfs)]
        loops = [(s + 1, pdf, pdf, 0.9, s + 1) for s, pdf in enumerate(pdfs)]
        fsts.append(Fst.from_arcs(0, {num_states: 0.0}, onwards + loops))
    return Supervision(1.0, SEQUENCES, 3 * FRAMES, num_pdfs, None, fsts)


def seconds(function: Callable[[], object], rounds: int) -> float:
    function()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)


def bandwidth() -> float:
    """Bytes per second of copying a large array: read once, written once."""
    source = np.ones(1 << 26, np.float32)
    target = np.empty_like(source)
    return 2 * source.nbytes / seconds(lambda: np.copyto(target, source), 5)


def compare(name: str, graph: DenominatorGraph, output: Tensor, kaldi: float | None) -> None:
    """One row: the fastest of ours for the output's device against the others."""

    def timed(backend: str, rounds: int) -> float:
        return seconds(lambda: denominator(graph, output, LEAKY, backend=backend), rounds)

    ours = timed("auto", 5)
    others = [timed("plain", 1), timed("pychain", 2) if pychain() else None, kaldi]
    moved = VALUES_PER_ARC * 4 * len(graph.source) * FRAMES * SEQUENCES / ours
    columns = [f"{x:>9.3f} {x / ours:>6.1f}x" if x else f"{'-':>9} {'':>7}" for x in others]
    print(f"{name:<14} {ours:>9.4f} {' '.join(columns)} {moved / 1e9:>8.1f}")


def compare_numerator(name: str, graph: DenominatorGraph) -> None:
    supervision = made_supervision(graph.num_pdfs)
    output = torch.randn(supervision.frames_per_sequence, SEQUENCES, graph.num_pdfs)
    ours = seconds(lambda: numerator([supervision], output), 3)
    beside = seconds(lambda: denominator(graph, output, LEAKY), 2)
    plain = seconds(lambda: numerator([supervision], output.double()), 1)
    print(f"{name:<14} {ours:>9.4f} {plain:>9.3f} {plain / ours:>6.1f}x {beside:>9.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", default=str(Path(__file__).resolve().parents[2] / "shared"))
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    gflops = sgemm()
    torch.set_num_threads(arguments.threads)
    graphs = {"large": made_graph()}
    reference = Path(arguments.shared) / "reference/lfmmi/den.fst"
    if reference.is_file():
        fst = read_fst(str(reference))
        graphs["small"] = DenominatorGraph.from_fst(fst, int(fst.arcs["ilabel"].max()))
    else:
        print(f"(no {reference}: only the made graph)")

    print(f"{arguments.threads} threads; sgemm {gflops:.0f} GFLOP/s on one; memory {bandwidth() / 1e9:.1f} GB/s (copy)")
    print(f"{'denominator':<14} {'ours s':>9} {'plain s':>17} {'PyChain s':>17} {'Kaldi s':>17} {'GB/s':>8}")
    for device in ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]:
        for name, graph in graphs.items():
            output = torch.randn(FRAMES, SEQUENCES, graph.num_pdfs, device=device)
            scaled = KALDI_SECONDS * KALDI_SGEMM / gflops if name == "large" and device == "cpu" else None
            compare(f"{name}, {device}", graph, output, scaled)
    print(f"{'flat start':<14} {'ours s':>9} {'plain s':>17} {'denominator s':>14}")
    for name, graph in graphs.items():
        compare_numerator(name, graph)


if __name__ == "__main__":
    main()
