"""Makes kaldi.json: what Kaldi's own programs, which must be on the PATH, write for the small inputs here.

python tests/kaldi_bridge/commands/latbin/composing/make.py

The lattices are made up at random, with words 0 to 6 and transition-ids of words.mdl; the grammar is that of lm.arpa,
G.fst as arpa2fst writes it, projected on its output, phi.fst on its input, where 7 stands for backing off.
"""

from pathlib import Path

from tests.helpers.kaldis_outputs import make_cases

A, B, OUT = "ark:a.lats", "ark:b.lats", "ark,t:OUT/1"
LATTICES = "lattice-compose", "--write-compact=false"
CALLS = [
    [*LATTICES, "ark:a.lats", "ark:b.words", OUT],
    [*LATTICES, "ark:a.words", "ark:b.words", OUT],
    ["lattice-compose", A, "ark:b.words", OUT],
    ["lattice-compose", A, B, OUT],
    ["lattice-compose", A, "G.fst", OUT],
    [*LATTICES, "--phi-label=7", A, "phi.fst", OUT],
    [*LATTICES, "--rho-label=7", A, "rho.fst", OUT],
    [*LATTICES, "--rho-label=7", A, "rho_words.fst", OUT],
    ["lattice-compose", "--compose-with-fst=true", A, "ark:b.fsts", OUT],
    ["lattice-compose", "--compose-with-fst=TRUE", "--phi-label=7", A, "scp:phi.scp", OUT],
    ["lattice-interp", A, A, OUT],
    ["lattice-interp", "--alpha=0.3", A, "ark:b.lats", OUT],
    ["lattice-determinize", A, OUT],
    ["lattice-determinize", "--acoustic-scale=0.1", "--prune=true", "--beam=2", A, OUT],
    ["lattice-determinize", "--minimize=true", A, OUT],
    ["lattice-determinize", "--max-mem=3000", A, OUT],
    ["lattice-determinize", "--max-loop=2", A, OUT],
    ["lattice-union", A, "ark:cut.lats", OUT],
    ["lattice-to-fst", A, OUT],
    ["lattice-to-fst", "--acoustic-scale=0.1", "--lm-scale=1", "--rm-eps=false", A, OUT],
    ["lattice-to-fst", "--acoustic-scale=0.1", "--lm-scale=1", A, OUT],
    ["lattice-add-trans-probs", "words.mdl", A, OUT],
    ["lattice-add-trans-probs", "--transition-scale=0.5", "--self-loop-scale=0.1", "words.mdl", A, OUT],
    ["lattice-copy-backoff", A, "ark:cut.lats", OUT],
    ["lattice-equivalent", A, A],
    ["lattice-equivalent", A, B],
    ["lattice-equivalent", A, "ark:cut.lats"],
    ["lattice-equivalent", "--max-error-proportion=0.9", A, "ark:cut.lats"],
    ["lattice-oracle", A, "ark:ref", OUT, "ark,t:OUT/2"],
    ["lattice-oracle", "--wildcard-symbols=2:3", "--write-lattices=ark,t:OUT/3", A, "ark:ref", OUT, "ark,t:OUT/2"],
    ["lattice-oracle", "--word-symbol-table=words.txt", "--write-lattices=ark,t:OUT/3", A, "ark:ref", OUT],
    [
        "lattice-oracle",
        "--word-symbol-table=words.txt",
        "--wildcard-symbols-list=wild",
        "--write-lattices=ark,t:OUT/3",
        A,
        "ark:ref",
        OUT,
    ],
    ["lattice-oracle", A, "ark:two.ref", OUT],
]

if __name__ == "__main__":
    make_cases(Path(__file__).parent, CALLS)
