#!/usr/bin/env bash
# All 960 hours of LibriSpeech, from the download to word error rates with the small trigram model: GMMs, LF-MMI with the
# TDNN-F of Kaldi's recipe. Kaldi's 4 epochs see each frame three times: here 12.
set -euo pipefail
cd "$(dirname "$0")"

# Begin configuration section.
stage=-1
last_stage=      # to stop after; empty: all
corpus=          # folder of the parts (or of LibriSpeech/ with them); else downloaded, and so are the two below
lexicon=         # words and their phones
lm=              # language model in ARPA form, which may be gzipped
large_lm=        # a larger one, to rescore with; 4-gram.arpa.gz: LibriSpeech's, downloaded; empty: none
rnnlm=           # folder of Kaldi's rnnlm/train_rnnlm.sh, to rescore with after that; empty: none
train_parts="train-clean-100 train-clean-360 train-other-500"
test_parts="dev-clean test-clean dev-other test-other"
max_utterances=0 # of the train parts, and of each test part: 0 for all
pipes=false      # decode FLAC by the program flac whenever a recording is read, instead of once
nj=4
exp=exp
seeds=0          # a system for each, e.g. "0 1 2"
mono_utterances=10000
mono_gauss=1000
gmm_opts=        # more options of the steps that train GMMs, e.g. "--num-iters 20 --max-iter-inc 15"
tri1="4200 40000" # leaves, Gaussians
tri2="5000 100000" # LDA+MLLT
tri3="7000 150000" # SAT
lda_dim=40
ivector_utterances=60000 # of the training data, for the extractor: 0 for all
ivector_gauss=512
ivector_dim=100
ivector_opts=    # more options of train_ivector_extractor.sh
chain_leaves=7000
network=conf/tdnn_1d.xconfig
num_epochs=12
minibatch_size=64
chunk_width=150,110,100
initial_learning_rate=0.00015
final_learning_rate=0.000015
use_gpu=true
scoring_opts=    # of score.sh
# End configuration section.

help_message="Usage: $0 [--corpus <dir> --lexicon <file> --lm <file>] [--stage <n>] [--last-stage <n>] [--max-utterances <n>] [--exp <dir>] ...
Stages: -1 download, 0 data and lang, 1 features, 2 monophones and triphones, 3 LDA+MLLT and SAT, 4 pronunciation
probabilities, 5 training data at three speeds, 6 i-vectors, 7 tree and graphs of the chain model, 8 what training reads,
9 training, 10 decoding, rescoring and scores, 11 RESULTS.md.
The other options are at the top of this script."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }
archives=$(printf "https://www.openslr.org/resources/12/%s.tar.gz " $train_parts $test_parts)
. local/stages.sh
