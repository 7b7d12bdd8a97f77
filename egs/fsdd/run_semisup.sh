#!/usr/bin/env bash
# Spoken digits, of which only a tenth has transcripts: what do the other recordings bring?
#   supervised      LF-MMI of the labeled part alone; GMMs, tree and graphs are of it, too
#   adam            that network, trained on by Adam: what the next one is to be compared with
#   ebm             that network, trained on by Adam, also of unlabeled chunks: their density, by their energy
#   self_training   LF-MMI of the labeled part, and of the others by the lattices that the supervised system decodes
#   all             everything is labeled
# All have the network of run.sh, which is normalized by speaker here, and half its epochs.
set -euo pipefail
cd "$(dirname "$0")"

# Begin configuration section.
stage=0
last_stage=7     # to stop after
corpus=          # as of run.sh
nj=2
seeds="0 1 2"
all=exp/all      # of run.sh with everything labeled; where it has run already, begin with --stage 1
exp=exp/semisup
num_epochs=15    # of run.sh and of the supervised system
cmvn_opts="--norm-means=true --norm-vars=true"
gmm_opts=        # more options of train_mono.sh and train_deltas.sh
scoring_opts=    # of score.sh
share=0.1        # of the training utterances that is labeled, chosen at random
labeled=         # file of the labeled utterances, each on a line, instead
repeat=5         # how often an epoch goes through the labeled part
mono_gauss=200   # of the labeled part, as the next two
tri1="60 300"
chain_leaves=60
ebm_opts="--sampler=adam --step-size=0.1 --noise=0.01 --min-steps=4 --max-steps=4 --init=data --reinit-probability=1 --buffer-size=32"
ebm_epochs=4     # of the labeled part once and so much of the unlabeled one
ebm_share=0.2
ebm_weight=0.02
ebm_learning_rate=0.0001
lattice_beam=4   # of lattices to learn from
lm_scale=0.5
self_training_epochs=8
self_training_repeat=3  # in each epoch the labeled part so often, and so much of the unlabeled one
self_training_share=0.5
self_training_weight=1
# End configuration section.

help_message="Usage: $0 [--corpus <dir>] [--stage <n>] [--last-stage <n>] [--nj <n>] [--seeds <list>] [--all <dir>] [--exp <dir>] ...
Stages: 0 run.sh, 1 run.sh of the labeled part, 2 unlabeled data, 3 what is recognized of them, 4 energy-based training,
and the same without unlabeled data, 5 what self-training learns from, 6 self-training, 7 RESULTS_semisup.md.
The other options are at the top of this script."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }

PATH="$(nnet-pytorch-path --print-args=false):$PATH"
export OMP_NUM_THREADS=1
run_opts=(--corpus "$corpus" --nj "$nj" --seeds "$seeds" --num-epochs "$num_epochs")
run_opts+=(--cmvn-opts "$cmvn_opts" --gmm-opts "$gmm_opts" --scoring-opts "$scoring_opts")
unlabeled=$exp/data/unlabeled
due() { [ "$stage" -le "$1" ] && [ "$1" -le "$last_stage" ]; }
stage() { echo "== Semi-supervised, stage $1: $2 ($(date +%T))"; }
# train <den-dir> <dir> [options]
train() {
  local den=$1 dir=$2
  shift 2
  local/train_tdnnf.sh "$exp/tree" "$den" --store "$exp/store" --cmvn-opts "$cmvn_opts" \
    --chunk-width 140,100,70 --alignment-subsampling-factor 3 "$@" "$exp/data/train_sp_hires" "$exp/supervision" "$dir"
}
decode() { steps_pytorch/decode.sh --nj "$nj" --acwt 1.0 --post-decode-acwt 10.0 --scoring-opts "$scoring_opts" "$@"; }
decode_test() { decode "$exp/graph" "$exp/data/test_hires" "$1/decode_test"; }

if due 0; then
  stage 0 "everything labeled"
  ./run.sh "${run_opts[@]}" --exp "$all"
fi

if due 1; then
  stage 1 "a part labeled"
  mkdir -p "$exp"
  if [ -n "$labeled" ]; then
    cp "$labeled" "$exp/labeled.list"
  else
    cut -d' ' -f1 "$all/data/train/utt2spk" | local/choose.py "$share" > "$exp/labeled.list"
  fi
  ./run.sh "${run_opts[@]}" --exp "$exp" --utterances "$exp/labeled.list" --repeat "$repeat" \
    --mono-gauss "$mono_gauss" --tri1 "$tri1" --chain-leaves "$chain_leaves"
fi

if due 2; then
  stage 2 "unlabeled data"
  grep -vwFf "$exp/labeled.list" "$all/data/train_sp_hires/utt2uniq" | cut -d' ' -f1 > "$exp/unlabeled.list"
  rm -rf "$unlabeled"
  utils/subset_data_dir.sh --utt-list "$exp/unlabeled.list" "$all/data/train_sp_hires" "$unlabeled"
  rm "$unlabeled/text"
  steps_pytorch/compute_cmvn_stats.sh "$unlabeled"
  steps_pytorch/make_memmap.sh --nj "$nj" "$unlabeled" "$exp/store_unlabeled"
fi

if due 3; then
  stage 3 "unlabeled data decoded; denominator graphs"
  # The phones of a few transcripts leave out most of what may follow what: graphs are of both parts.
  for seed in $seeds; do
    seen=$exp/tdnnf_$seed/decode_unlabeled den=$exp/den_$seed
    decode --lattice-beam "$lattice_beam" --skip-scoring true "$exp/graph" "$unlabeled" "$seen"
    mkdir -p "$den/ali"
    cp "$exp"/tree/{tree,final.mdl,ali.*.gz} "$den/ali"
    lattice-best-path --acoustic-scale=0.1 "ark:gunzip -c '$seen'/lat.*.gz |" ark:/dev/null \
      "ark:| gzip -c > '$den/ali/ali.decoded.gz'"
    steps_pytorch/make_den_fst.sh --lm-opts --num-extra-lm-states=20 "$den/ali" "$den"
  done
fi

if due 4; then
  stage 4 "energy-based training, and the same without unlabeled data"
  echo "name=unlabeled data=$unlabeled targets=none store=$exp/store_unlabeled weight=$ebm_weight repeat=$ebm_share" \
    > "$exp/ebm.list"
  for seed in $seeds; do
    options=(--optimizer adam --clip-norm 5 --init-model "$exp/tdnnf_$seed/final.mdl" --srand "$seed"
      --num-epochs "$ebm_epochs"
      --initial-learning-rate "$ebm_learning_rate" --final-learning-rate "$ebm_learning_rate")
    den=$exp/den_$seed
    train "$den" "$exp/adam_$seed" "${options[@]}"
    train "$den" "$exp/ebm_$seed" "${options[@]}" --more-data "$exp/ebm.list" \
      --objective lfmmi-ebm --objective-opts "--den-fst=$den/den.fst $ebm_opts"
    decode_test "$exp/adam_$seed"
    decode_test "$exp/ebm_$seed"
  done
fi

if due 5; then
  stage 5 "what self-training learns from"
  for seed in $seeds; do
    dir=$exp/self_training_$seed
    # Lattices of a chain model have its frames, and its times are good to a frame.
    steps_pytorch/make_supervisions.sh --frame-subsampling-factor 1 --left-tolerance 1 --right-tolerance 1 \
      --lm-scale "$lm_scale" "$exp/tdnnf_$seed/decode_unlabeled" "$exp/tree" "$dir/supervision"
    echo "name=decoded data=$unlabeled targets=$dir/supervision store=$exp/store_unlabeled" \
      "weight=$self_training_weight repeat=$self_training_share" > "$dir/decoded.list"
  done
fi

if due 6; then
  stage 6 self-training
  for seed in $seeds; do
    dir=$exp/self_training_$seed
    train "$exp/den_$seed" "$dir" --more-data "$dir/decoded.list" --srand "$seed" \
      --num-epochs "$self_training_epochs" --repeat "$self_training_repeat"
    decode_test "$dir"
  done
fi

if due 7; then
  stage 7 RESULTS_semisup.md
  decodes=()
  for seed in $seeds; do decodes+=("supervised_$seed=$exp/tdnnf_$seed/decode_test"); done
  for system in adam ebm self_training; do
    for seed in $seeds; do decodes+=("$exp/${system}_$seed/decode_test"); done
  done
  for seed in $seeds; do decodes+=("all_$seed=$all/tdnnf_$seed/decode_test"); done
  local/results.py --gap supervised,all "$exp/data/test/text" "${decodes[@]}" > "$exp/RESULTS_semisup.md"
  cat "$exp/RESULTS_semisup.md"
fi
