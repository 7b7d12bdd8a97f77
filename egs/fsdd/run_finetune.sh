#!/usr/bin/env bash
# Spoken digits: models of some speakers, trained on with a few minutes of others; their word error rates before and after.
set -euo pipefail
cd "$(dirname "$0")"

# Begin configuration section.
stage=0
corpus=          # as of run.sh
kaldi=           # folder of Kaldi's experiment; else ../../../shared/reference/fsdd
systems="cmvn vosk vosk_frozen vosk_new_tree"
nj=2
seeds=0
share=0.5        # of the new speakers' utterances, chosen at random, to train on; the others are recognized
finetune_opts=   # more options of finetune.sh
exp=exp/finetune
# End configuration section.

help_message="Usage: $0 [--corpus <dir>] [--kaldi <dir>] [--systems <list>] [--stage <n>] [--nj <n>] [--seeds <list>] [--exp <dir>]
<kaldi> is an experiment of Kaldi's: tdnnf_cmvn, a chain model of features that are normalized by speaker, and vosk, a folder for
Vosk with i-vectors. Systems:
  cmvn           tdnnf_cmvn
  vosk           the folder for Vosk, as it is: no tree, no lexicon
  vosk_frozen    the same with the first four layers as they are
  vosk_new_tree  the same with a new tree, of the new speakers, and a new output layer
Stages: 0 data, 1 fine-tuning, 2 decoding and scores, 3 RESULTS_finetune.md."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }

PATH="$(nnet-pytorch-path --print-args=false):$PATH"
export OMP_NUM_THREADS=1
shared=${NNET_PYTORCH_SHARED:-$PWD/../../../shared}
: "${kaldi:=$shared/reference/fsdd}" "${corpus:=$shared/corpus/fsdd}"
for part in tdnnf_cmvn vosk chain_tree graph lang conf; do
  [ -d "$kaldi/$part" ] || { echo "$0: no such directory $kaldi/$part" >&2; exit 1; }
done
data=$exp/data
stage() { echo "== Fine-tuning, stage $1: $2 ($(date +%T))"; }

if [ "$stage" -le 0 ]; then
  stage 0 data
  rm -rf "$data"
  local/prepare_data.py "$corpus" "$data/all" test
  cut -d' ' -f1 "$data/all/utt2spk" | local/choose.py "$share" > "$data/mine.list"
  grep -vwFf "$data/mine.list" <(cut -d' ' -f1 "$data/all/utt2spk") > "$data/test.list"
  for part in mine test; do utils/subset_data_dir.sh --utt-list "$data/$part.list" "$data/all" "$data/$part"; done
  steps_pytorch/prepare_chain_lang.sh "$kaldi/lang" "$data/lang_chain"
fi

model_of() { # <system>: the model, and the options of finetune.sh that belong to it
  case $1 in
    cmvn)
      model=$kaldi/tdnnf_cmvn
      options=(--graph "$kaldi/graph" --tree "$kaldi/chain_tree/tree" --mfcc-config "$kaldi/conf/mfcc_hires.conf") ;;
    vosk*) model=$kaldi/vosk options=() ;;
    *) echo "$0: there is no system $1" >&2; exit 1 ;;
  esac
  case $1 in
    *_frozen) options+=(--frozen "tdnn1.* tdnnf2.* tdnnf3.* tdnnf4.*") ;;
    *_new_tree) options+=(--lang "$data/lang_chain" --num-leaves 60) ;;
  esac
}

if [ "$stage" -le 1 ]; then
  stage 1 fine-tuning
  for system in $systems; do
    model_of "$system"
    for seed in $seeds; do
      # shellcheck disable=SC2086
      steps_pytorch/finetune.sh --nj "$nj" --srand "$seed" "${options[@]}" $finetune_opts \
        "$model" "$data/mine" "$exp/${system}_$seed"
    done
  done
fi

decode_kaldi() { # <fine-tuned dir>: its model before and after, on features as they are for it
  local dir=$1 test=$1/test
  rm -rf "$test"
  utils/copy_data_dir.sh "$data/test" "$test"
  steps_pytorch/make_feats.sh --nj "$nj" --mfcc-config "$kaldi/conf/mfcc_hires.conf" "$test"
  steps_pytorch/compute_cmvn_stats.sh "$test"
  for model in "$dir/model" "$dir"; do
    steps_pytorch/decode.sh --nj "$nj" --acwt 1.0 --post-decode-acwt 10.0 "$kaldi/graph" "$test" "$model/decode_test"
  done
}

if [ "$stage" -le 2 ]; then
  stage 2 "decoding and scores"
  local/decode_vosk.py "$kaldi/vosk" "$data/test" > "$exp/vosk.before"
  for system in $systems; do
    for seed in $seeds; do
      dir=$exp/${system}_$seed
      case $system in
        cmvn) decode_kaldi "$dir" ;;
        vosk*) local/decode_vosk.py "$dir/vosk" "$data/test" > "$dir/vosk.after" ;;
      esac
    done
  done
fi

if [ "$stage" -le 3 ]; then
  stage 3 RESULTS_finetune.md
  found=("vosk_before=$exp/vosk.before")
  for system in $systems; do
    for seed in $seeds; do
      dir=$exp/${system}_$seed
      case $system in
        cmvn)
          if [ "$seed" = "${seeds%% *}" ]; then found+=("cmvn_before=$dir/model/decode_test"); fi
          found+=("cmvn_$seed=$dir/decode_test") ;;
        vosk*) found+=("${system}_$seed=$dir/vosk.after") ;;
      esac
    done
  done
  local/results.py "$data/test/text" "${found[@]}" > "$exp/RESULTS_finetune.md"
  cat "$exp/RESULTS_finetune.md"
fi
