#!/usr/bin/env bash
# Spoken digits: the same network as Kaldi's, trained from what Kaldi has made: features, lattices of alignments, tree, graph.
set -euo pipefail
cd "$(dirname "$0")"

# Begin configuration section.
stage=0
last_stage=4     # to stop after
kaldi=           # folder of Kaldi's experiment; else ../../../shared/reference/fsdd
nj=2
seeds=0
num_epochs=36
exp=exp/recipe
# End configuration section.

help_message="Usage: $0 [--kaldi <dir>] [--stage <n>] [--last-stage <n>] [--nj <n>] [--seeds <list>] [--num-epochs <n>] [--exp <dir>]
<dir> holds data/{train,test}_hires, tri1_lats, chain_tree and graph.
Stages: 0 data, 1 denominator graph and what training reads, 2 training, 3 decoding and scores, 4 results, which run.sh --stage 9
puts into RESULTS.md with those of its own systems."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }

PATH="$(nnet-pytorch-path --print-args=false):$PATH"
export OMP_NUM_THREADS=1
: "${kaldi:=${NNET_PYTORCH_SHARED:-$PWD/../../../shared}/reference/fsdd}"
made=$exp/from_kaldi
for part in data/train_hires data/test_hires tri1_lats chain_tree graph; do
  [ -d "$kaldi/$part" ] || { echo "$0: no such directory $kaldi/$part" >&2; exit 1; }
done
kaldi=$(cd "$kaldi" && pwd)
due() { [ "$stage" -le "$1" ] && [ "$1" -le "$last_stage" ]; }
stage() { echo "== Stage $1: $2 ($(date +%T))"; }

if due 0; then
  stage 0 data
  for part in train test; do
    utils/copy_data_dir.sh "$kaldi/data/${part}_hires" "$made/$part"
    # Kaldi's files are named from where its recipe was run.
    sed -i -E "s|^(\S+) ([^/ ][^|]*)$|\1 $kaldi/\2|" "$made/$part"/{feats,cmvn,wav}.scp
  done
fi

if due 1; then
  stage 1 "denominator graph and what training reads"
  steps_pytorch/make_den_fst.sh --lm-opts --num-extra-lm-states=20 "$kaldi/chain_tree" "$made/den"
  steps_pytorch/make_memmap.sh --nj "$nj" "$made/train" "$made/store"
  steps_pytorch/make_supervisions.sh "$kaldi/tri1_lats" "$kaldi/chain_tree" "$made/supervision"
fi

if due 2; then
  stage 2 training
  for seed in $seeds; do
    local/train_tdnnf.sh "$kaldi/chain_tree" "$made/den" --store "$made/store" --chunk-width 140,100,70 \
      --alignment-subsampling-factor 3 --cmvn-opts "--norm-means=true --norm-vars=true" \
      --num-epochs "$num_epochs" --average-last 10 --srand "$seed" \
      "$made/train" "$made/supervision" "$exp/from_kaldi_$seed"
  done
fi

if due 3; then
  stage 3 "decoding and scores"
  for seed in $seeds; do
    steps_pytorch/decode.sh --nj "$nj" --acwt 1.0 --post-decode-acwt 10.0 \
      "$kaldi/graph" "$made/test" "$exp/from_kaldi_$seed/decode_test"
  done
fi

if due 4; then
  stage 4 results
  local/results.py "$made/test/text" "$exp"/from_kaldi_*/decode_test
fi
