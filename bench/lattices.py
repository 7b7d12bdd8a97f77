"""The lattice programs beside Kaldi's, on lattices as decoding makes them: some 50 MB of them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from beside_kaldi import compare

from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import TableWriter

LATTICES, STATES, WAYS = 400, 300, 8
COMMANDS = {
    "copy": "{0}lattice-copy ark:LATS ark:/dev/null",
    "copy, as text": "{0}lattice-copy ark:LATS ark,t:/dev/null",
    "copy, not compact": "{0}lattice-copy --write-compact=false ark:LATS ark:/dev/null",
    "scale": "{0}lattice-scale --acoustic-scale=0.1 ark:LATS ark:/dev/null",
    "add-penalty": "{0}lattice-add-penalty --word-ins-penalty=0.5 ark:LATS ark:/dev/null",
    "prune": "{0}lattice-prune --acoustic-scale=0.1 --beam=4 ark:LATS ark:/dev/null",
    "best-path": "{0}lattice-best-path --acoustic-scale=0.1 ark:LATS ark:/dev/null",
    "to-nbest": "{0}lattice-to-nbest --n=10 --acoustic-scale=0.1 ark:LATS ark:/dev/null",
    "scale | add-penalty | best-path": "{0}lattice-scale --inv-acoustic-scale=10 ark:LATS ark:- | "
    "{0}lattice-add-penalty --word-ins-penalty=0.5 ark:- ark:- | {0}lattice-best-path ark:- ark:/dev/null",
}


def random_lattice(random: np.random.Generator) -> CompactLattice:
    """States in a row, four frames from each to the next, from each of which several words lead a little further."""
    arcs = []
    for s in range(STATES - 1):
        targets = random.integers(s + 1, min(s + 6, STATES), WAYS)
        costs = random.uniform(0.0, 50.0, (WAYS, 2)).tolist()
        arcs.append(
            [
                (
                    int(random.integers(1, 5000)),
                    graph,
                    acoustic,
                    tuple(random.integers(1, 3000, 4 * (t - s)).tolist()),
                    int(t),
                )
                for t, (graph, acoustic) in zip(targets, costs, strict=True)
            ]
        )
    return CompactLattice.from_lists(0, [*arcs, []], [*([None] * (STATES - 1)), (1.0, 0.0, ())])


def main() -> None:
    random = np.random.default_rng(0)
    distinct = [random_lattice(random) for _ in range(40)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lats"
        with TableWriter(f"ark:{path}", COMPACT_LATTICE) as writer:
            for i in range(LATTICES):
                writer.write(f"utterance{i:06}", distinct[i % len(distinct)])
        commands = {name: command.replace("LATS", str(path)) for name, command in COMMANDS.items()}
        compare("lattices", commands, "lattice-scale", megabytes=path.stat().st_size / 1e6)


if __name__ == "__main__":
    main()
