"""Makes kaldi.json: what Kaldi's own lattice-add-nnlmscore, which must be on the PATH, writes for the inputs here.

python tests/kaldi_bridge/commands/latbin/arc_scores/make.py

a.lats has a lattice whose states are not in order, with two final ones, of which one is in the middle, and one without
arcs; some of the scores are of arcs that are not there.
"""

from pathlib import Path

from tests.helpers.kaldis_outputs import make_cases

TABLES = "ark:a.lats", "scores", "ark,t:OUT/1"
CALLS = [
    ["lattice-add-nnlmscore", *TABLES],
    ["lattice-add-nnlmscore", "--lm-scale=-0.3", *TABLES],
    ["lattice-add-nnlmscore", "ark:a.lats", "few", "ark,t:OUT/1"],
    ["lattice-add-nnlmscore", "ark:a.lats", "no-file", "ark,t:OUT/1"],
]

if __name__ == "__main__":
    make_cases(Path(__file__).parent, CALLS)
