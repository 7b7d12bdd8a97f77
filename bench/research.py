"""Whether the network, and not we, is what energy-based training waits for: a WideResNet and Langevin steps on it.

    python bench/research.py [--depth=28 --width=10] [--sequences=1] [--frames=20] [--threads=1] [--use-gpu]

A training step of cross-entropy with Adam, and steps of the sampler with the energy of frames and with that of LF-MMI's
denominator graph, taken in turn. "in kernels" is the time that PyTorch's profiler finds within PyTorch's operations
(on a GPU: within CUDA kernels) as a share of the time that passes; "over frames" how much longer a step of the sampler
is because of LF-MMI. Wanted: at least 90 % and less than 15 %.
"""

from __future__ import annotations

import os

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler says when it begins and ends

import argparse
import math
import time
from collections.abc import Callable

import torch
from chain import made_graph
from torch.profiler import ProfilerActivity, profile

from steps_pytorch.data.batch import Batch
from steps_pytorch.models.registry import build_model
from steps_pytorch.objectives.energies import OutputEnergy, SequenceEnergy, frame_energy
from steps_pytorch.objectives.energy_based import evaluating, frozen
from steps_pytorch.objectives.registry import build_objective
from steps_pytorch.registry import Dimensions
from steps_pytorch.samplers.options import SamplerOptions
from steps_pytorch.samplers.sampler import sample

DIM, PDFS, ROUNDS, STEPS = 64, 2000, 3, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=28)
    parser.add_argument("--width", type=int, default=10)
    parser.add_argument("--sequences", type=int, default=1)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--use-gpu", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if arguments.use_gpu else "cpu")

    dimensions = Dimensions(DIM, PDFS, 0, 4)
    words = [f"--depth={arguments.depth}", f"--width={arguments.width}", "--left-context=12", "--right-context=12"]
    model = build_model("wide-resnet", words, dimensions).to(device)
    objective = build_objective("cross-entropy", [], dimensions).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-5)
    outputs = -(-arguments.frames // 4)
    features = torch.randn(arguments.sequences, model.frames_in(outputs), DIM, device=device)
    batch = Batch(features, outputs, torch.randint(PDFS, (arguments.sequences, outputs), device=device))
    graph = made_graph(num_states=4000, num_arcs=40000, num_pdfs=PDFS)
    noise = SamplerOptions(step_size=0.01, noise=math.sqrt(0.02), min_steps=STEPS, max_steps=STEPS)

    def train() -> None:
        optimizer.zero_grad()
        objective(model, batch).loss.backward()
        optimizer.step()

    def sampling(energy: OutputEnergy) -> Callable[[], None]:
        def run() -> None:
            with evaluating(model), frozen(model):
                sample(noise, lambda x: energy(model(x).output), features)

        return run

    work = {
        "training step, cross-entropy": train,
        f"{STEPS} steps of SGLD, energy of frames": sampling(frame_energy),
        f"{STEPS} steps of SGLD, energy of LF-MMI": sampling(SequenceEnergy(graph, 0.1)),
    }
    for run in work.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, run in work.items():
            times[name].append(seconds(run, device))
    parameters = sum(p.numel() for p in model.parameters())
    print(
        f"WideResNet {arguments.depth}-{arguments.width}, {parameters / 1e6:.1f} million parameters, "
        f"{arguments.sequences} x {arguments.frames} frames of {DIM}, {device.type}, {arguments.threads} threads"
    )
    print(f"{'':<40} {'seconds':>9} {'in kernels':>12} {'over frames':>12}")
    frames_time = min(times[f"{STEPS} steps of SGLD, energy of frames"])
    for name, run in work.items():
        best = min(times[name])
        over = f"{best / frames_time - 1:12.1%}" if name.endswith("LF-MMI") else ""
        print(f"{name:<40} {best:9.3f} {share_in_kernels(run, device):12.1%} {over}")


def seconds(run: Callable[[], None], device: torch.device) -> float:
    start = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def share_in_kernels(run: Callable[[], None], device: torch.device) -> float:
    on_gpu = device.type == "cuda"
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]) as profiled:
        passed = seconds(run, device)
    events = profiled.key_averages()
    if on_gpu:
        return sum(e.self_device_time_total for e in events) / 1e6 / passed
    return sum(e.self_cpu_time_total for e in events if e.key.startswith("aten::")) / 1e6 / passed


if __name__ == "__main__":
    main()
