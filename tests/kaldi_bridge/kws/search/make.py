"""Makes lattices, an index and keywords, and kaldi.json: what Kaldi's own programs, on the PATH, make of them.

PYTHONPATH=. python tests/kaldi_bridge/kws/search/make.py
"""

import subprocess
from pathlib import Path

import numpy as np

from kaldi_bridge.fsts.fst import FST, Fst
from kaldi_bridge.fsts.linear import linear_acceptor
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import TableWriter
from tests.helpers.kaldis_outputs import make_cases

WORDS = 4
TO_INDEX = ["ark:utt.map", "ark:lattices", "ark,t:OUT/index"]
INDEX = "lattice-to-kws-index"
UNION = ["kws-index-union", "ark:indices", "ark,t:OUT/global"]
SEARCH = ["kws-search", "ark:global", "ark:keywords", "ark,t:OUT/results"]
CALLS = [
    [INDEX, *TO_INDEX],
    *([INDEX, option, *TO_INDEX] for option in ("--max-silence-frames=5", "--max-states-scale=-1")),
    [INDEX, "--max-states-scale=2", *TO_INDEX],
    [INDEX, "--max-states-scale=1.5", "--allow-partial=false", *TO_INDEX],
    [INDEX, "--frame-subsampling-factor=3", "--max-silence-frames=13", *TO_INDEX],
    [INDEX, "ark:none", *TO_INDEX[1:]],
    [INDEX, "--strict=false", "ark:none", *TO_INDEX[1:]],
    [INDEX, *TO_INDEX[:2]],
    UNION,
    [*UNION[:1], "--skip-optimization=true", *UNION[1:]],
    [*UNION[:1], "--max-states=20", *UNION[1:]],
    [UNION[0], "ark:none", UNION[2]],
    [UNION[0], "--strict=false", "ark:none", UNION[2]],
    SEARCH,
    [*SEARCH, "ark,t:OUT/stats"],
    *(
        [SEARCH[0], *options.split(), *SEARCH[1:]]
        for options in (
            "--frame-subsampling-factor=3",
            "--nbest=2",
            "--nbest=0",
            "--keyword-nbest=1",
            "--keyword-nbest=2 --keyword-beam=1",
            "--keyword-beam=0.5",
            "--negative-tolerance=5",
        )
    ),
    [SEARCH[0], "ark:indices", *SEARCH[2:]],
    [SEARCH[0], SEARCH[1], "ark:none", SEARCH[3]],
    [SEARCH[0], "--strict=false", SEARCH[1], "ark:none", SEARCH[3]],
    SEARCH[:3],
]


def lattice(random: np.random.Generator, states: int) -> CompactLattice:
    """Of words, some of them silences; each arc goes one or two states on."""
    times = np.concatenate([[0], np.cumsum(random.integers(1, 12, states - 1))])
    arcs: list[list[tuple[int, float, float, tuple[int, ...], int]]] = []
    for s in range(states):
        words = random.permutation(WORDS + 1)
        arcs.append([])
        for i in range(random.integers(2, WORDS) if s + 1 < states else 0):
            to = min(s + 1 + int(i > 0 and random.random() < 0.4), states - 1)
            costs = random.uniform(0, 4, 2).round(3)
            arcs[-1].append((int(words[i]), *map(float, costs), (1,) * int(times[to] - times[s]), to))
    ends: list[tuple[float, float, tuple[int, ...]] | None] = [None] * states
    ends[-1] = (round(random.uniform(0, 2), 3), 0.0, ())
    return CompactLattice.from_lists(0, arcs, ends)


def write_inputs(folder: Path) -> None:
    random = np.random.default_rng(5)
    names = [f"utt{i}" for i in range(4)]
    with TableWriter(f"ark:{folder}/lattices", COMPACT_LATTICE) as lattices:
        for name in names:
            lattices.write(name, lattice(random, 6))
        lattices.write("without-number", lattice(random, 3))
    (folder / "utt.map").write_text("".join(f"{name} {i}\n" for i, name in enumerate(names, 1)))
    with TableWriter(f"ark,t:{folder}/keywords", FST) as keywords:
        for i, words in enumerate(([1], [2, 3], [4, 1, 2], [3, 3, 3, 3, 3, 3, 3])):
            keywords.write(f"KW-{i}", linear_acceptor(words))
        several = [(0, 1, 1, 0.5, 1), (0, 2, 2, 1.5, 2), (0, 3, 3, 0.25, 2), (1, 4, 4, 0.0, 2), (1, 0, 0, 1.0, 2)]
        keywords.write("KW-several", Fst.from_arcs(0, {2: 0.5}, several))
        unsorted = [(0, 3, 3, 0.5, 1), (0, 1, 1, 0.25, 1), (1, 2, 2, 0.5, 2), (1, 0, 0, 0.125, 2)]
        keywords.write("KW-unsorted", Fst.from_arcs(0, {2: 0.0}, unsorted))
    (folder / "none").write_text("")
    for program, *arguments in (
        (INDEX, "ark:utt.map", "ark:lattices", "ark:indices"),
        ("kws-index-union", "ark:indices", "ark:global"),
    ):
        subprocess.run([program, *arguments], cwd=folder, check=True)


if __name__ == "__main__":
    write_inputs(Path(__file__).parent)
    make_cases(Path(__file__).parent, CALLS)
