"""Makes kaldi.json: what Kaldi's own programs, which must be on the PATH, write for the small inputs here.

python tests/kaldi_bridge/commands/latbin/composing/make.py

The lattices are made up at random, with words 0 to 6 and transition-ids of words.mdl; the grammar is that of lm.int:
backoff.fst as arpa2fst writes it, G.fst that projected on its output, phi.fst on its input, where 7 stands for backing
off. uni, bi and small are parts of it, the last one without word 3; *.int have numbers for words, and are what
arpa-to-const-arpa made *.carpa of: <s> is 8, </s> 9, and word 5 the unknown one of small.carpa. a.nbest has
what lattice-to-nbest --n=3 makes of a.lats, a.ali the alignments of the second paths but for the last one.
"""

from pathlib import Path

from tests.helpers.kaldis_outputs import make_cases

A, B, OUT = "ark:a.lats", "ark:b.lats", "ark,t:OUT/1"
LATTICES = "lattice-compose", "--write-compact=false"
PRUNED = "lattice-lmrescore-pruned"
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
    ["lattice-reverse", A, OUT],
    ["nbest-to-lattice", "ark:a.nbest", OUT],
    ["lattice-boost-ali", "words.mdl", A, "ark:a.ali", OUT],
    ["lattice-boost-ali", "--b=0.7", "--max-silence=0.3", "--silence-phones=2:1", "words.mdl", A, "ark:a.ali", OUT],
    ["lattice-boost-ali", "--b=0", "words.mdl", A, "ark:a.ali", OUT],
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
    ["lattice-lmrescore", A, "G.fst", OUT],
    ["lattice-lmrescore", "--lm-scale=-1.0", A, "cat G.fst |", OUT],
    ["lattice-lmrescore", "--lm-scale=0.5", A, "small.fst", OUT],
    ["lattice-lmrescore", "--lm-scale=0", A, "G.fst", OUT],
    ["lattice-lmrescore-const-arpa", A, "G.carpa", OUT],
    ["lattice-lmrescore-const-arpa", "--lm-scale=-0.5", A, "cat small.carpa |", OUT],
    ["lattice-lmrescore-const-arpa", "--lm-scale=0", A, "G.carpa", OUT],
    ["lattice-lmrescore-const-arpa", A, "uni.carpa", OUT],
    ["lattice-lmrescore-const-arpa", A, "bi.carpa", OUT],
    [PRUNED, "backoff.fst", "backoff.fst", A, OUT],
    [PRUNED, "--acoustic-scale=0.1", "bi.fst", "backoff.fst", A, OUT],
    [PRUNED, "--add-const-arpa=true", "--lm-scale=0.8", "small.fst", "small.carpa", A, OUT],
    # Kaldi's own lattice-lmrescore-pruned does not take the options of the pruned composition, which it has: for these
    # calls it was compiled with a line that registers them.
    [PRUNED, "--lattice-compose-beam=2", "--acoustic-scale=0.1", "bi.fst", "backoff.fst", A, OUT],
    [PRUNED, "--lattice-compose-beam=20", "--growth-ratio=1.1", "--max-arcs=30", "bi.fst", "backoff.fst", A, OUT],
]

if __name__ == "__main__":
    make_cases(Path(__file__).parent, CALLS)
