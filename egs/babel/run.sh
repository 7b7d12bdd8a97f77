#!/usr/bin/env bash
# A language of the BABEL program (telephone speech, 8 kHz), from LDC's folders to word error rates: GMMs, LF-MMI with a
# TDNN-F. The language model is of the training transcripts. Kaldi's recipe adds pitch to the features; here there is none.
set -euo pipefail
cd "$(dirname "$0")"

# Begin configuration section.
stage=0
last_stage=      # to stop after; empty: all
lang_conf=       # file that says where the corpus is: as conf/lang/example.conf, or one of Kaldi's conf/lang
lm=              # language model in ARPA form, which may be gzipped; empty: a trigram model of the training transcripts
large_lm=        # a larger one, to rescore with; empty: none
rnnlm=           # folder of Kaldi's rnnlm/train_rnnlm.sh, to rescore with after that; empty: none
max_utterances=0 # of the training data, and of the test data: 0 for all
nj=4
exp=exp
seeds=0          # a system for each, e.g. "0 1 2"
mono_utterances=5000
mono_gauss=1000
gmm_opts=        # more options of the steps that train GMMs, e.g. "--num-iters 20 --max-iter-inc 15"
tri1="1000 10000" # leaves, Gaussians
tri2="2500 36000" # LDA+MLLT
tri3="2500 36000" # SAT
lda_dim=40
ivector_utterances=0 # of the training data, for the extractor: 0 for all
ivector_gauss=512
ivector_dim=100
ivector_opts=    # more options of train_ivector_extractor.sh
chain_leaves=3500
network=conf/tdnn_1d.xconfig
num_epochs=18
minibatch_size=64
chunk_width=140,100,160
initial_learning_rate=0.0005
final_learning_rate=0.00005
use_gpu=true
scoring_opts=    # of score.sh
# End configuration section.
test_parts=dev10h

help_message="Usage: $0 --lang-conf <file> [--stage <n>] [--last-stage <n>] [--max-utterances <n>] [--exp <dir>] ...
e.g.: $0 --lang-conf conf/lang/404-georgian.FLP.official.conf --exp exp/404
Stages: 0 data and lang, 1 features, 2 monophones and triphones, 3 LDA+MLLT and SAT, 4 pronunciation
probabilities, 5 training data at three speeds, 6 i-vectors, 7 tree and graphs of the chain model, 8 what training reads,
9 training, 10 decoding, rescoring and scores, 11 RESULTS.md.
The other options are at the top of this script."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }
. local/stages.sh
