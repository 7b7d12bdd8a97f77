"""Makes a.lats, and kaldi.json: what Kaldi's own programs, which must be on the PATH, write for it.

PYTHONPATH=. python tests/kaldi_bridge/commands/latbin/covering/make.py

Lattices of random words: u and v with parallel arcs and several final states, w of one arc.
"""

from pathlib import Path

import numpy as np

from tests.helpers.kaldis_outputs import make_cases

COVER = "ark,t:OUT/words", "ark,t:OUT/states", "ark,t:OUT/costs"
EXPANDED = "ark:a.lats", "ark,t:OUT/lats"
CALLS = [
    ["lattice-path-cover", "ark:a.lats", *COVER],
    ["lattice-path-cover", "--acoustic-scale=0.1", "--lm-scale=2", "ark:a.lats", *COVER],
    ["lattice-path-cover", "ark:a.lats", "ark,t:OUT/words"],
    ["lattice-path-cover", "--word-symbol-table=words.txt", "ark:a.lats"],
    ["lattice-path-cover", "ark:no-file", *COVER],
    ["lattice-expand", "--acoustic-scale=0.1", "--epsilon=0.3", *EXPANDED],
    ["lattice-expand", "--inv-acoustic-scale=10", "--epsilon=0.01", *EXPANDED],
    ["lattice-expand", "--epsilon=1", *EXPANDED],
    ["lattice-expand", "--acoustic-scale=0", *EXPANDED],
]


def lattice(random: np.random.Generator, times: int) -> str:
    """Two or three states at each time, each with one or two arcs to each of the next time or some of them."""
    states = [1, *random.integers(2, 4, times).tolist(), 1]
    first = np.concatenate([[0], np.cumsum(states)]).tolist()
    lines = []
    for t in range(len(states) - 1):
        for source in range(first[t], first[t + 1]):
            for target in range(first[t + 1], first[t + 2]):
                for _ in range(int(random.integers(0, 3)) or target == first[t + 1]):
                    costs = random.integers(1, 200, 2) / 8
                    ids = "_".join(map(str, random.integers(1, 9, 2)))
                    lines.append(f"{source} {target} {random.integers(0, 5)} {costs[0]},{costs[1] * 8},{ids}")
            if t == len(states) - 2:
                lines.append(f"{source} 2.5,1,3")
    return "\n".join([*lines, f"{first[-2]} 0.5,0,"])


if __name__ == "__main__":
    folder, random = Path(__file__).parent, np.random.default_rng(3)
    lattices = {"u": lattice(random, 4), "v": lattice(random, 5), "w": "0 1 2 0.5,3,4_4\n1 0,0,"}
    (folder / "a.lats").write_text("".join(f"{key} \n{lines}\n\n" for key, lines in lattices.items()))
    (folder / "words.txt").write_text("".join(f"{word} {n}\n" for n, word in enumerate(("<eps>", *"abcd"))))
    make_cases(folder, CALLS)
