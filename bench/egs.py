"""Training examples through pipes: our programs beside Kaldi's, where those are on the PATH.

Each pair is run alternately, the best of several rounds counts. MB/s are of what is read; the ratio is our speed over
Kaldi's, for the wall clock and for the processors' time, which other programs on the machine disturb less.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE, RAW_CHAIN_EXAMPLE, ChainExample, ChainOutput
from kaldi_bridge.examples.cutting import frame_indexes
from kaldi_bridge.examples.frame_examples import EXAMPLE, RAW_EXAMPLE, NnetExample, NnetIo
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.output_stream import Pieces
from kaldi_bridge.io.sparse import SparseMatrix
from kaldi_bridge.tables import TableWriter

ROUNDS = 3
MEGABYTES = 200
DISTINCT = 300
KALDI, OURS = "nnet3-", "nnet-pytorch-"

CHAIN = {
    "copy": "{0}chain-copy-egs ark:{1} ark:/dev/null",
    "copy, frames shifted": "{0}chain-copy-egs --frame-shift=1 ark:{1} ark:/dev/null",
    "shuffle": "{0}chain-shuffle-egs --buffer-size=5000 ark:{1} ark:/dev/null",
    "merge": "{0}chain-merge-egs --minibatch-size=64 ark:{1} ark:/dev/null",
    "copy | shuffle | merge": "{0}chain-copy-egs --frame-shift=1 ark:{1} ark:- | "
    "{0}chain-shuffle-egs --buffer-size=5000 ark:- ark:- | "
    "{0}chain-merge-egs --minibatch-size=64 ark:- ark:/dev/null",
}
PLAIN = {
    "copy": "{0}copy-egs ark:{1} ark:/dev/null",
    "shuffle": "{0}shuffle-egs --buffer-size=5000 ark:{1} ark:/dev/null",
    "merge": "{0}merge-egs --minibatch-size=256 ark:{1} ark:/dev/null",
    "copy | shuffle | merge": "{0}copy-egs ark:{1} ark:- | {0}shuffle-egs --buffer-size=5000 ark:- ark:- | "
    "{0}merge-egs --minibatch-size=256 ark:- ark:/dev/null",
}


def features(random: np.random.Generator, frames: int, dim: int) -> CompressedMatrix:
    return CompressedMatrix.compress(random.standard_normal((frames, dim), np.float32))


def supervision(random: np.random.Generator, frames: int, pdfs: int) -> Supervision:
    """Two states for most frames, between which all arcs go."""
    arcs = []
    before = [0]
    number = 1
    for frame in range(frames):
        after = [number] if frame % 3 == 0 or frame == frames - 1 else [number, number + 1]
        number += len(after)
        for s in before:
            for t in after:
                label = int(random.integers(1, pdfs + 1))
                arcs.append((s, label, label, float(random.random()), t))
        before = after
    return Supervision(1.0, 1, frames, pdfs, Fst.from_arcs(0, {number - 1: 0.0}, arcs))


def chain_example(random: np.random.Generator) -> ChainExample:
    """A chunk of 140 frames with context, an i-vector and a supervision for every third frame."""
    inputs = [
        NnetIo("input", frame_indexes(-17, 169), features(random, 169, 40)),
        NnetIo("ivector", frame_indexes(0, 1), features(random, 1, 100)),
    ]
    output = ChainOutput("output", frame_indexes(0, 47, 3), supervision(random, 47, 3000), np.ones(47, np.float32))
    return ChainExample(inputs, [output])


def plain_example(random: np.random.Generator) -> NnetExample:
    """Eight frames with context, an i-vector and a pdf for each."""
    rows = [(random.integers(0, 3000, 1).astype(np.int32), np.ones(1, np.float32)) for _ in range(8)]
    return NnetExample(
        [
            NnetIo("input", frame_indexes(-16, 36), features(random, 36, 40)),
            NnetIo("ivector", frame_indexes(0, 1), features(random, 1, 100)),
            NnetIo("output", frame_indexes(0, 8), SparseMatrix.from_rows(rows, 3000)),
        ]
    )


def write_examples(path: str, chain: bool) -> None:
    """Some examples, again and again."""
    random = np.random.default_rng(0)
    distinct = []
    for _ in range(DISTINCT):
        pieces = Pieces("memory")
        if chain:
            CHAIN_EXAMPLE.write(pieces, True, chain_example(random))
        else:
            EXAMPLE.write(pieces, True, plain_example(random))
        distinct.append(pieces.data())
    with TableWriter(f"ark:{path}", RAW_CHAIN_EXAMPLE if chain else RAW_EXAMPLE) as writer:
        written, count = 0, 0
        while written < MEGABYTES * 1_000_000:
            writer.write(f"utterance{count:07}-0", distinct[count % DISTINCT])
            written += len(distinct[count % DISTINCT])
            count += 1


def seconds(command: str) -> tuple[float, float]:
    """(wall clock, processors' time) of a shell command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True, stderr=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def kaldi_is_there() -> bool:
    """Kaldi's own program, not a link to ours."""
    path = shutil.which("nnet3-chain-merge-egs")
    return path is not None and "nnet-pytorch" not in os.path.realpath(path)


def measure(kind: str, commands: dict[str, str], path: str) -> None:
    programs = [OURS, KALDI] if kaldi_is_there() else [OURS]
    size = os.path.getsize(path) / 1e6
    for name, command in commands.items():
        runs = [[seconds(command.format(program, path)) for program in programs] for _ in range(ROUNDS)]
        walls, cpus = ([min(row[i][k] for row in runs) for i in range(len(programs))] for k in (0, 1))
        speeds = " ".join(f"{size / wall:9.0f}" for wall in walls) + " ".join(f"{size / cpu:12.0f}" for cpu in cpus)
        ratios = f"{walls[1] / walls[0]:9.2f} {cpus[1] / cpus[0]:9.2f}" if len(programs) == 2 else ""
        print(f"{kind + ': ' + name:<32} {speeds} {ratios}")


def main() -> None:
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    start = min(seconds("nnet-pytorch-chain-copy-egs ark:/dev/null ark:/dev/null || true")[0] for _ in range(ROUNDS))
    print(f"start of one of our programs: {start:.2f} s, which the figures include")
    if kaldi_is_there():
        print(f"{'':<32} {'MB/s':>9} {'Kaldi':>9} {'MB/cpu-s':>11} {'Kaldi':>12} {'ratio':>9} {'ratio cpu':>9}")
    else:
        print(f"{'(no Kaldi on the PATH)':<32} {'MB/s':>9} {'MB/cpu-s':>11}")
    with tempfile.TemporaryDirectory() as directory:
        for kind, commands in (("chain", CHAIN), ("plain", PLAIN)):
            path = f"{directory}/{kind}.ark"
            write_examples(path, kind == "chain")
            measure(kind, commands, path)
            os.unlink(path)


if __name__ == "__main__":
    main()
