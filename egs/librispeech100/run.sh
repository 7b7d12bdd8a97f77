#!/usr/bin/env bash
# The 100 hours of clean training speech of LibriSpeech, from the download to word error rates with the small trigram
# model: GMMs, LF-MMI with the TDNN-F of Kaldi's LibriSpeech recipe.
# With --unlabeled-parts "train-clean-360 train-other-500" the other 860 hours are then used too, without transcripts.
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
train_parts="train-clean-100"
test_parts="dev-clean test-clean"
max_utterances=0 # of the train parts, and of each test part: 0 for all
pipes=false      # decode FLAC by the program flac whenever a recording is read, instead of once
nj=4
exp=exp
seeds=0          # a system for each, e.g. "0 1 2"
mono_utterances=2000
mono_gauss=1000
gmm_opts=        # more options of the steps that train GMMs, e.g. "--num-iters 20 --max-iter-inc 15"
tri1="2000 10000" # leaves, Gaussians
tri2="2500 15000" # LDA+MLLT
tri3="4200 40000" # SAT
lda_dim=40
ivector_utterances=0 # of the training data, for the extractor: 0 for all
ivector_gauss=512
ivector_dim=100
ivector_opts=    # more options of train_ivector_extractor.sh
chain_leaves=5000
network=conf/tdnn_1d.xconfig
num_epochs=18
minibatch_size=64
chunk_width=140,100,160
initial_learning_rate=0.0005
final_learning_rate=0.00005
use_gpu=true
scoring_opts=    # of score.sh
unlabeled_parts= # those of which the transcripts are not used; empty: none
unlabeled_weight=1
ebm_opts="--sampler=adam --max-steps=50 --noise=0.001 --replay-correction=1 --clip=1 --energy-l2=4 --ebm-warmup=15000"
ebm_epochs=10
ebm_learning_rate=0.00001
# End configuration section.

help_message="Usage: $0 [--corpus <dir> --lexicon <file> --lm <file>] [--stage <n>] [--last-stage <n>] [--max-utterances <n>] [--exp <dir>] ...
Stages: -1 download, 0 data and lang, 1 features, 2 monophones and triphones, 3 LDA+MLLT and SAT, 4 pronunciation
probabilities, 5 training data at three speeds, 6 i-vectors, 7 tree and graphs of the chain model, 8 what training reads,
9 training, 10 decoding, rescoring and scores, 11 RESULTS.md, 12 unlabeled data,
13 semi-supervised training, 14 its scores and RESULTS.md.
The other options are at the top of this script."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }
archives=$(printf "https://www.openslr.org/resources/12/%s.tar.gz " $train_parts $test_parts $unlabeled_parts)
. local/stages.sh
if [ -n "$unlabeled_parts" ]; then . local/semi_supervised.sh; fi
