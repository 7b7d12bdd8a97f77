#!/usr/bin/env bash
# Spoken digits: encoders with attention, of features (conformer) and of samples (wav2vec2), trained from what Kaldi has made.
set -euo pipefail
cd "$(dirname "$0")"

# Begin configuration section.
stage=0
kaldi=           # folder of Kaldi's experiment; else ../../../shared/reference/fsdd
nj=2
models="conformer wav2vec2"
num_epochs=      # for another number than 10 (conformer) or 20 (wav2vec2)
srand=0
exp=exp/recipe
# End configuration section.

help_message="Usage: $0 [--kaldi <dir>] [--stage <n>] [--nj <n>] [--models <list>] [--num-epochs <n>] [--srand <n>] [--exp <dir>]
<dir> as for run_from_kaldi.sh. Stages: 0 data and what training reads, 1 training, 2 decoding with Kaldi's graph, 3 the table
of RESULTS_encoders.md."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }

PATH="$(nnet-pytorch-path --print-args=false):$PATH"
export OMP_NUM_THREADS=1
: "${kaldi:=${NNET_PYTORCH_SHARED:-$PWD/../../../shared}/reference/fsdd}"
made=$exp/from_kaldi
stage() { echo "== Stage $1: $2 ($(date +%T))"; }

if [ "$stage" -le 0 ]; then
  stage 0 "data and what training reads"
  ./run_from_kaldi.sh --kaldi "$kaldi" --nj "$nj" --exp "$exp" --last-stage 1
  echo --sample-frequency=8000 > "$made/waveform.conf"
  utils/copy_data_dir.sh "$made/test" "$made/test_waveform"
  rm -f "$made/test_waveform"/{feats,cmvn}.scp
  steps_pytorch/make_feats.sh --nj "$nj" --type waveform --waveform-config "$made/waveform.conf" "$made/test_waveform"
fi

# train <model> <options of its own>: as all of them are trained.
train() {
  steps_pytorch/train.sh --model "$@" --tree-dir "$kaldi/chain_tree" --objective-opts "--den-fst=$made/den/den.fst" \
    --normalization-fst "$made/den/normalization.fst" --chunk-width 140,100,70 --alignment-subsampling-factor 3 \
    --optimizer adamw --clip-norm 5 --warmup-epochs 1 --srand "$srand" \
    "$made/train" "$made/supervision" "$exp/$1_$srand"
}

if [ "$stage" -le 1 ]; then
  stage 1 training
  for model in $models; do
    case $model in
      conformer)
        train conformer --model-opts "--dim=96 --num-layers=4 --ffn-dim=288 --kernel-size=15 --left-context=24
            --right-context=24" --store "$made/store" --cmvn-opts "--norm-means=true --norm-vars=true" \
          --minibatch-size 16 --num-epochs "${num_epochs:-10}" --average-last 3 \
          --initial-learning-rate 0.002 --final-learning-rate 0.0002 ;;
      wav2vec2)
        # Filters of 10 ms instead of 10 samples in the first convolution: fifteen minutes of speech do not teach more.
        train wav2vec2 --model-opts "--conv-layers='128:80:20 128:3:3 128:3:2 128:2:2' --conv-bias=true
            --layer-norm-first=true --dim=128 --num-layers=4 --num-heads=4 --ffn-dim=384 --position-kernel=15
            --position-groups=8 --dropout=0 --layer-drop=0.1 --left-context=24 --right-context=24" \
          --waveform-config "$made/waveform.conf" --volume 0.5:2 --gaussian-snr 15:40 --perturbed-share 0.5 \
          --minibatch-size 8 --num-epochs "${num_epochs:-20}" --average-last 5 \
          --initial-learning-rate 0.001 --final-learning-rate 0.0001 ;;
      *) echo "$0: --models: conformer, wav2vec2, not $model" >&2; exit 1 ;;
    esac
  done
fi

if [ "$stage" -le 2 ]; then
  stage 2 "decoding with Kaldi's graph"
  for model in $models; do
    data=$made/test
    [ "$model" != wav2vec2 ] || data=$made/test_waveform
    steps_pytorch/decode.sh --nj "$nj" --frames-per-chunk 141 --acwt 1.0 --post-decode-acwt 10.0 \
      --scoring-opts "--min-lmwt 10 --max-lmwt 10" "$kaldi/graph" "$data" "$exp/${model}_$srand/decode_test"
  done
fi

if [ "$stage" -le 3 ]; then
  stage 3 results
  decoded=()
  for model in $models; do decoded+=("$exp/${model}_$srand/decode_test"); done
  local/results.py "$made/test/text" "${decoded[@]}"
fi
