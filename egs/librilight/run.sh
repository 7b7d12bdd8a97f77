#!/usr/bin/env bash
# Ten hours with transcripts (the fine-tuning set of Libri-Light), 960 hours without (all of LibriSpeech): GMMs and LF-MMI of
# the former, then semi-supervised training of both.
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
train_parts="librispeech_finetuning/1h librispeech_finetuning/9h"
test_parts="dev-clean test-clean dev-other test-other"
max_utterances=0 # of the train parts, and of each test part: 0 for all
pipes=false      # decode FLAC by the program flac whenever a recording is read, instead of once
nj=4
exp=exp
seeds=0          # a system for each, e.g. "0 1 2"
mono_utterances=500
mono_gauss=1000
gmm_opts=        # more options of the steps that train GMMs, e.g. "--num-iters 20 --max-iter-inc 15"
tri1="2000 10000" # leaves, Gaussians
tri2="2500 15000" # LDA+MLLT
tri3="2500 15000" # SAT
lda_dim=40
ivector_utterances=0 # of the training data, for the extractor: 0 for all
ivector_gauss=512
ivector_dim=100
ivector_opts=    # more options of train_ivector_extractor.sh
chain_leaves=3500
network=conf/tdnn_1k.xconfig
num_epochs=45
minibatch_size=128
chunk_width=140,100,160
initial_learning_rate=0.002
final_learning_rate=0.0002
use_gpu=true
scoring_opts=    # of score.sh
unlabeled_parts="train-clean-100 train-clean-360 train-other-500"
unlabeled_weight=1
ebm_opts="--sampler=adam --max-steps=50 --noise=0.001 --replay-correction=1 --clip=1 --energy-l2=3 --ebm-warmup=15000"
ebm_epochs=10
ebm_learning_rate=0.00001
# End configuration section.

help_message="Usage: $0 [--corpus <dir> --lexicon <file> --lm <file>] [--stage <n>] [--last-stage <n>] [--max-utterances <n>] [--exp <dir>] ...
Stages: -1 download, 0 data and lang, 1 features, 2 monophones and triphones, 3 LDA+MLLT and SAT, 4 pronunciation
probabilities, 5 training data at three speeds, 6 i-vectors, 7 tree and graphs of the chain model, 8 what training reads,
9 training, 10 decoding and scores, 11 RESULTS.md, 12 unlabeled data,
13 semi-supervised training, 14 its scores and RESULTS.md.
The other options are at the top of this script."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }
archives="https://dl.fbaipublicfiles.com/librilight/data/librispeech_finetuning.tgz"
archives+=$(printf " https://www.openslr.org/resources/12/%s.tar.gz" $test_parts $unlabeled_parts)
. local/stages.sh
if [ -n "$unlabeled_parts" ]; then . local/semi_supervised.sh; fi
