"""How fast the denominator's forward-backward is: C++ beside plain PyTorch and Kaldi's figure.

    python bench/chain.py [--shared=../shared] [--threads=1]

A minibatch of 64 sequences of 50 frames, on the reference's small graph (where it lies beside the checkout) and on a
made one of 3000 pdfs, 20 k states and 100 k random arcs. Kaldi's CPU code took 2.9 s for the latter on a core whose
sgemm ran at 105 GFLOP/s; the figure is scaled to this machine's sgemm. Bytes are those that arcs read and write of
alphas, betas, likelihoods and posteriors, mostly in the caches; the copy of a large array gives the memory's bandwidth.
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
from computation import KALDI_SGEMM, sgemm

from kaldi_bridge.fst import read_fst
from nnet3_compat.chain.denominator import denominator
from nnet3_compat.chain.denominator_graph import DenominatorGraph

FRAMES, SEQUENCES, LEAKY = 50, 64, 1e-5
KALDI_SECONDS = 2.9
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


def seconds(function: Callable[[], object], rounds: int) -> float:
    function()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def bandwidth() -> float:
    """Bytes per second of copying a large array: read once, written once."""
    source = np.ones(1 << 26, np.float32)
    target = np.empty_like(source)
    return 2 * source.nbytes / seconds(lambda: np.copyto(target, source), 5)


def compare(name: str, graph: DenominatorGraph, kaldi: float | None) -> None:
    output = torch.randn(FRAMES, SEQUENCES, graph.num_pdfs)
    ours = seconds(lambda: denominator(graph, output, LEAKY), 5)
    plain = seconds(lambda: denominator(graph, output, LEAKY, backend="plain"), 1)
    moved = VALUES_PER_ARC * 4 * len(graph.source) * FRAMES * SEQUENCES / ours
    against = f"{kaldi:>9.2f} {kaldi / ours:>7.1f}x" if kaldi else f"{'':>18}"
    print(f"{name:<8} {ours:>9.4f} {plain:>9.3f} {plain / ours:>7.1f}x {against} {moved / 1e9:>9.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", default=str(Path(__file__).resolve().parents[2] / "shared"))
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    gflops = sgemm()
    torch.set_num_threads(arguments.threads)
    print(f"{arguments.threads} threads; sgemm {gflops:.0f} GFLOP/s on one; memory {bandwidth() / 1e9:.1f} GB/s (copy)")
    print(f"{'graph':<8} {'C++ s':>9} {'plain s':>9} {'ratio':>8} {'Kaldi s':>9} {'ratio':>8} {'GB/s':>9}")
    reference = Path(arguments.shared) / "reference/lfmmi/den.fst"
    if reference.is_file():
        fst = read_fst(str(reference))
        compare("small", DenominatorGraph.from_fst(fst, int(fst.arcs["ilabel"].max())), None)
    else:
        print(f"(no {reference}: only the made graph)")
    compare("large", made_graph(), KALDI_SECONDS * KALDI_SGEMM / gflops)


if __name__ == "__main__":
    main()
