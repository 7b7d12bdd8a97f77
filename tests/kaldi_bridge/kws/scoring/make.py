"""Makes what was said and what was found, and kaldi.json: what Kaldi's own compute-atwv, on the PATH, says of it.

PYTHONPATH=. python tests/kaldi_bridge/kws/scoring/make.py
"""

from pathlib import Path

import numpy as np

from tests.helpers.kaldis_outputs import make_cases

CALLS = [
    ["compute-atwv", "3600", "ark:said", "ark:found"],
    ["compute-atwv", "1234.5", "ark:said", "ark:found", "OUT/alignment.csv"],
    ["compute-atwv", "--frames-per-sec=33", "--max_distance=5", "600", "ark:said", "ark:found", "OUT/alignment.csv"],
    ["compute-atwv", "--cost-fa=0.5", "--prior-kw-probability=0.01", "--value-corr=2", "600", "ark:said", "ark:found"],
    ["compute-atwv", "--score-threshold=0.31", "--sweep-step=0.3", "600", "ark:said", "ark:found"],
    ["compute-atwv", "600", "ark:said", "ark:none"],
    ["compute-atwv", "600", "ark:none", "ark:none"],
    ["compute-atwv", "0", "ark:said", "ark:found"],
    ["compute-atwv", "x", "ark:said", "ark:found"],
    ["compute-atwv", "600", "ark:bad", "ark:found"],
    ["compute-atwv", "600", "ark:said"],
]


def write_inputs(folder: Path) -> None:
    random = np.random.default_rng(2)
    said, found = [], []
    for _ in range(30):
        keyword, utterance, begin = f"KW-{random.integers(5)}", random.integers(1, 4), int(random.integers(3000))
        end = begin + int(random.integers(10, 60))
        said.append(f"{keyword} {utterance} {begin} {end} 1\n")
        for _ in range(random.integers(3)):
            shift = int(random.integers(-70, 70))
            found.append(f"{keyword} {utterance} {begin + shift} {end + shift + 3} {random.random():.4f}\n")
    found += [f"KW-9 1 {t} {t + 20} 0.{t}\n" for t in (3, 7)]
    (folder / "said").write_text("".join(said))
    (folder / "found").write_text("".join(found))
    (folder / "none").write_text("")
    (folder / "bad").write_text("KW-1 1 2 3\n")


if __name__ == "__main__":
    write_inputs(Path(__file__).parent)
    make_cases(Path(__file__).parent, CALLS)
