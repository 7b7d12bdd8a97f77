#!/usr/bin/env bash
# Spoken digits, from recordings to a word error rate: features, HMM-GMMs, tree, graphs, LF-MMI training, lattices.
# Nothing but pip is needed.
set -euo pipefail
cd "$(dirname "$0")"

# Begin configuration section.
stage=0
last_stage=9     # to stop after
corpus=          # folders train and test; else ../../../shared/corpus/fsdd, else a clone of the public recordings
nj=2
seeds=0          # a system for each, e.g. "0 1 2"; RESULTS.md has their mean
num_epochs=30
flat_start=false # LF-MMI from the transcripts alone, without HMM-GMMs
exp=exp/recipe
utterances=      # file of the training utterances to use, each on a line; empty: all
repeat=1         # how often an epoch goes through them
gmm_opts=        # more options of train_mono.sh and train_deltas.sh
mono_gauss=1000
tri1="300 3000"  # leaves, Gaussians
chain_leaves=100
scoring_opts=    # of score.sh
cmvn_opts=       # normalize by speaker, with these options of apply-cmvn; empty: online
# End configuration section.

help_message="Usage: $0 [--corpus <dir>] [--stage <n>] [--last-stage <n>] [--nj <n>] [--seeds <list>] [--num-epochs <n>]
  [--flat-start <true|false>] [--exp <dir>] [--utterances <file>] ...
Stages: 0 data and lang, 1 features, also of the training data at three speeds, 2 monophones and triphones, 3 lattices of
the alignments, 4 tree and graphs of the chain model, 5 what training reads, 6 training, 7 decoding and scores,
8 the models in Vosk, 9 RESULTS.md, of all systems in <exp>. A flat start needs no stages 2 and 3.
The other options are at the top of this script."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }

PATH="$(nnet-pytorch-path --print-args=false):$PATH"
export OMP_NUM_THREADS=1
repository=https://github.com/Jakobovski/free-spoken-digit-dataset.git
shared=${NNET_PYTORCH_SHARED:-$PWD/../../../shared}
if [ -z "$corpus" ]; then
  corpus=$shared/corpus/fsdd
  if [ ! -d "$corpus/train" ]; then
    corpus=$exp/free-spoken-digit-dataset
    mkdir -p "$exp"
    [ -d "$corpus" ] || git clone --quiet --depth 1 "$repository" "$corpus"
  fi
fi
data=$exp/data lang=$exp/data/lang
due() { [ "$stage" -le "$1" ] && [ "$1" -le "$last_stage" ]; }
stage() { echo "== Stage $1: $2 ($(date +%T))"; }

if due 0; then
  stage 0 "data and lang"
  for part in train test; do
    rm -rf "${data:?}/$part"
    local/prepare_data.py "$corpus" "$data/$part" $part
  done
  if [ -n "$utterances" ]; then
    utils/subset_data_dir.sh --utt-list "$utterances" "$data/train" "$data/train_used"
    mv "$data/train_used"/* "$data/train"
  fi
  for part in train test; do utils/validate_data_dir.sh --no-feats "$data/$part"; done
  mkdir -p "$data/dict"
  cp local/lexicon.txt "$data/dict"
  printf 'SIL\nSPN\n' > "$data/dict/silence_phones.txt"
  echo SIL > "$data/dict/optional_silence.txt"
  cut -d' ' -f2- "$data/dict/lexicon.txt" | tr ' ' '\n' | grep -v -e SIL -e SPN | sort -u \
    > "$data/dict/nonsilence_phones.txt"
  : > "$data/dict/extra_questions.txt"
  steps_pytorch/prepare_lang.sh "$data/dict" "<UNK>" "$data/lang_tmp" "$lang"
  cut -d' ' -f1 local/lexicon.txt | grep '^[a-z]' | sort -u > "$data/digits"
  steps_pytorch/format_lm.sh --word-loop=true "$lang" "$data/digits" "$data/dict/lexicon.txt" "$lang"
  steps_pytorch/prepare_chain_lang.sh "$lang" "${lang}_chain"
fi

# features <data-dir>: MFCC for the GMM, and in <data-dir>_hires those of the network
features() {
  utils/copy_data_dir.sh "$1" "$1_hires"
  steps_pytorch/make_feats.sh --nj "$nj" --mfcc-config conf/mfcc.conf "$1"
  steps_pytorch/make_feats.sh --nj "$nj" --mfcc-config conf/mfcc_hires.conf "$1_hires"
  for folder in "$1" "$1_hires"; do
    steps_pytorch/compute_cmvn_stats.sh "$folder"
    utils/fix_data_dir.sh "$folder"
  done
}

if due 1; then
  stage 1 features
  rm -rf "$data/train_sp"
  utils/perturb_data_dir_speed_3way.sh --write-audio true "$data/train" "$data/train_sp"
  for part in train train_sp test; do features "$data/$part"; done
fi

if due 2 && ! $flat_start; then
  stage 2 "monophones and triphones"
  # shellcheck disable=SC2086
  steps_pytorch/train_mono.sh --nj "$nj" --totgauss "$mono_gauss" $gmm_opts "$data/train" "$lang" "$exp/mono"
  # shellcheck disable=SC2086
  steps_pytorch/train_deltas.sh $gmm_opts $tri1 "$data/train" "$lang" "$exp/mono" "$exp/tri1"
  steps_pytorch/mkgraph.sh "$lang" "$exp/tri1" "$exp/tri1/graph"
  steps_pytorch/decode_gmm.sh --nj "$nj" --scoring-opts "$scoring_opts" \
    "$exp/tri1/graph" "$data/test" "$exp/tri1/decode_test"
fi

if due 3 && ! $flat_start; then
  stage 3 "lattices of the alignments"
  steps_pytorch/align_lats.sh --nj "$nj" --generate-ali-from-lats true \
    "$data/train_sp" "$lang" "$exp/tri1" "$exp/tri1_sp_lats"
fi

if $flat_start; then
  system=flat_start tree=$exp/flat_start den=$exp/flat_start
  graph=$exp/flat_start/graph targets=$exp/flat_start
  chunks="--chunk-width -1"
else
  system=tdnnf tree=$exp/tree den=$exp/den graph=$exp/graph targets=$exp/supervision
  chunks="--chunk-width 140,100,70 --alignment-subsampling-factor 3"
fi

if due 4; then
  stage 4 "tree and graphs of the chain model"
  if $flat_start; then
    steps_pytorch/prepare_e2e.sh --nj "$nj" --type biphone --num-extra-lm-states 20 \
      "$data/train_sp_hires" "${lang}_chain" "$tree"
  else
    steps_pytorch/build_tree.sh --frame-subsampling-factor 3 --context-opts "--context-width=2 --central-position=1" \
      "$chain_leaves" "$data/train_sp" "${lang}_chain" "$exp/tri1_sp_lats" "$tree"
    steps_pytorch/make_den_fst.sh --lm-opts --num-extra-lm-states=20 "$tree" "$den"
  fi
  steps_pytorch/mkgraph.sh --self-loop-scale=1.0 "${lang}_chain" "$tree" "$graph"
fi

if due 5; then
  stage 5 "what training reads"
  steps_pytorch/make_memmap.sh --nj "$nj" "$data/train_sp_hires" "$exp/store"
  $flat_start || steps_pytorch/make_supervisions.sh "$exp/tri1_sp_lats" "$tree" "$targets"
fi

if due 6; then
  stage 6 training
  normalization=(--online-cmvn true)
  [ -z "$cmvn_opts" ] || normalization=(--cmvn-opts "$cmvn_opts")
  for seed in $seeds; do
    # shellcheck disable=SC2086
    local/train_tdnnf.sh "$tree" "$den" --store "$exp/store" "${normalization[@]}" $chunks \
      --num-epochs "$num_epochs" --repeat "$repeat" --srand "$seed" \
      "$data/train_sp_hires" "$targets" "$exp/${system}_$seed"
  done
fi

if due 7; then
  stage 7 "decoding and scores"
  for seed in $seeds; do
    steps_pytorch/decode.sh --nj "$nj" --acwt 1.0 --post-decode-acwt 10.0 --scoring-opts "$scoring_opts" \
      "$graph" "$data/test_hires" "$exp/${system}_$seed/decode_test"
  done
fi

if due 8 && [ -z "$cmvn_opts" ] && python3 -c "import vosk" 2> /dev/null; then
  stage 8 "the models in Vosk"
  # Vosk knows no speakers, so each gets a folder, which begins with his statistics; it tries no scales and penalties.
  mkdir -p "$exp/vosk"
  for seed in $seeds; do
    model=${system}_$seed
    for speaker in $(cut -d' ' -f1 "$data/test_hires/spk2utt"); do
      folder=$exp/vosk/$model.$speaker
      rm -rf "$folder"*
      utils/subset_data_dir.sh --spk-list <(echo "$speaker") "$data/test_hires" "$folder.data"
      nnet-pytorch-export --vosk --graph="$graph" --mfcc-config=conf/mfcc_hires.conf --cmvn-stats="$folder.data" \
        "$exp/$model/final.mdl" "$folder"
      local/decode_vosk.py "$folder" "$folder.data" > "$folder.txt"
    done
    sort "$exp/vosk/$model".*.txt > "$exp/vosk/${system}_in_vosk_$seed"
    cp "$exp/$model/decode_test/scoring_kaldi/penalty_0.0/10.txt" "$exp/vosk/${system}_untuned_$seed"
  done
elif due 8; then
  echo "$0: stage 8 left out: it needs online normalization, and pip install vosk"
fi

if due 9; then
  stage 9 RESULTS.md
  found=()
  for file in "$exp"/*/decode_test "$exp"/vosk/*_{untuned,in_vosk}_*; do [ ! -e "$file" ] || found+=("$file"); done
  local/results.py "$data/test/text" "${found[@]}" > "$exp/RESULTS.md"
  cat "$exp/RESULTS.md"
fi
