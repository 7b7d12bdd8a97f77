"""Makes kaldi.json: what Kaldi's own programs, which must be on the PATH, write for the small inputs here.

python tests/nnet3_compat/rnnlm/tiny/make.py

final.raw is the network of librispeech's local/rnnlm/tuning/run_tdnn_lstm_1a.sh in small (its second LSTM has a delay
of 2), with random parameters, for words 1 to 9 of word_embedding.mat: 8 is <s>, 9 </s>. The lattices are made up at
random, of words 0 to 6; backoff.fst and bi.carpa are language models of these. normalized and unnormalized are what
rnnlm-sentence-probs --bos-symbol=8 --eos-symbol=9 wrote for sentences.
"""

from pathlib import Path

from tests.helpers.kaldis_outputs import make_cases

SYMBOLS = "--bos-symbol=8", "--eos-symbol=9"
MODEL, TABLES = ("word_embedding.mat", "final.raw"), ("ark:a.lats", "ark,t:OUT/1")
WHOLE, PRUNED = "lattice-lmrescore-kaldi-rnnlm", "lattice-lmrescore-kaldi-rnnlm-pruned"
CALLS = [
    *(
        [WHOLE, *SYMBOLS, *options, *MODEL, *TABLES]
        for options in (
            [],
            ["--max-ngram-order=4", "--lm-scale=0.5", "--brk-symbol=7"],
            ["--normalize-probs=true", "--max-ngram-order=2"],
            ["--max-ngram-order=1"],
            ["--max-ngram-order=0"],
            ["--lm-scale=0"],
        )
    ),
    *(
        [PRUNED, *SYMBOLS, *options, *MODEL, *TABLES]
        for options in (
            ["backoff.fst"],
            ["--lm-scale=0.8", "--acoustic-scale=1", "--max-ngram-order=4", "backoff.fst"],
            ["--normalize-probs", "--lattice-compose-beam=1", "--growth-ratio=1.1", "backoff.fst"],
            ["--max-arcs=10", "--max-ngram-order=-1", "backoff.fst"],
            ["--use-const-arpa", "bi.carpa"],
        )
    ),
    [WHOLE, "--bos-symbol=8", *MODEL, *TABLES],
    [WHOLE, "--bos-symbol=10", "--eos-symbol=9", *MODEL, *TABLES],
    [PRUNED, "--bos-symbol=8", "--eos-symbol=0", "backoff.fst", *MODEL, *TABLES],
    [PRUNED, *SYMBOLS, "--acoustic-scale=0", "backoff.fst", *MODEL, *TABLES],
]

if __name__ == "__main__":
    make_cases(Path(__file__).parent, CALLS)
