#!/usr/bin/env bash
# Spoken digits, from wav files to a word error rate with a given model: no Kaldi needed.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD

# Begin configuration section.
stage=0
nj=2
corpus=          # a folder of digit strings; else ../../../shared/corpus/fsdd, else a clone of the public recordings
model=           # a folder with final.mdl, cmvn_opts, frame_subsampling_factor; else Kaldi's in ../../../shared/reference
graph=           # a folder with HCLG.fst and words.txt
exp=exp
# End configuration section.

help_message="Usage: $0 [--corpus <dir>] [--model <dir> --graph <dir>] [--stage <n>] [--nj <n>] [--exp <dir>]
Stages: 0 data, 1 features, 2 lattices and scores (steps_pytorch/decode.sh), 3 the same as one chain of pipes."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }

repository=https://github.com/Jakobovski/free-spoken-digit-dataset.git
shared=${NNET_PYTORCH_SHARED:-$here/../../../shared}
tiny=$here/../tiny

PATH="$(nnet-pytorch-path --print-args=false):$PATH"

if [ -z "$model" ] && [ -f "$shared/reference/fsdd/tdnnf_cmvn/final.mdl" ]; then
  model=$shared/reference/fsdd/tdnnf_cmvn
  graph=${graph:-$shared/reference/fsdd/graph}
fi
if [ -z "$corpus" ] && [ -n "$model" ]; then
  if [ -d "$shared/corpus/fsdd/test" ]; then
    corpus=$shared/corpus/fsdd/test
  else
    corpus=$exp/free-spoken-digit-dataset
    mkdir -p "$exp"
    [ -d "$corpus" ] || git clone --quiet --depth 1 "$repository" "$corpus" || corpus=
  fi
fi
if [ -z "$corpus" ] || [ -z "$model" ]; then
  missing="model by Kaldi"
  if [ -n "$model" ]; then missing="corpus of recorded digits"; fi
  echo "$0: no $missing is to be had here (--corpus, --model, --graph):" \
    "taking the synthetic digits and the small model of egs/tiny instead" >&2
  corpus=$tiny/data model=$tiny/model graph=$tiny/graph
fi
for file in "$model/final.mdl" "$graph/HCLG.fst" "$graph/words.txt"; do
  [ -f "$file" ] || { echo "$0: no such file $file" >&2; exit 1; }
done

data=$exp/data/test
decode=$exp/model/decode_test
conf=conf/mfcc_hires.conf

if [ "$stage" -le 0 ]; then
  echo "== Stage 0: the data of $corpus"
  rm -rf "$data"
  local/prepare_data.py "$corpus" "$data"
fi

if [ "$stage" -le 1 ]; then
  echo "== Stage 1: features"
  utils/run.py "$data/log/mfcc.log" \
    compute-mfcc-feats --config=$conf --dither=0 "scp:$data/wav.scp" ark:- \| \
    copy-feats --compress=true ark:- "ark,scp:$data/feats.ark,$data/feats.scp"
  mkdir -p "$data/conf" # how the features were made: decode.sh compares it with what the model was trained on
  cp $conf "$data/conf/mfcc.conf"
  utils/run.py "$data/log/cmvn.log" \
    compute-cmvn-stats --spk2utt="ark:$data/spk2utt" "scp:$data/feats.scp" "ark,scp:$data/cmvn.ark,$data/cmvn.scp"
fi

mkdir -p "$exp/model"
for file in final.mdl cmvn_opts frame_subsampling_factor phones.txt input.json; do
  if [ -f "$model/$file" ]; then cp "$model/$file" "$exp/model/"; fi
done

if [ "$stage" -le 2 ]; then
  echo "== Stage 2: lattices and scores"
  steps_pytorch/decode.sh --nj "$nj" --acwt 1.0 --post-decode-acwt 10.0 "$graph" "$data" "$decode"
fi

if [ "$stage" -le 3 ]; then
  echo "== Stage 3: the same as one chain of pipes, from wav files to words"
  cmvn_options=--norm-means=false
  if [ -f "$model/cmvn_opts" ]; then cmvn_options=$(cat "$model/cmvn_opts"); fi
  # shellcheck disable=SC2086
  compute-mfcc-feats --config=$conf --dither=0 "scp:$data/wav.scp" ark:- 2>"$decode/log/pipe.log" |
    apply-cmvn $cmvn_options --utt2spk="ark:$data/utt2spk" "scp:$data/cmvn.scp" ark:- ark:- 2>>"$decode/log/pipe.log" |
    nnet-pytorch-compute --frame-subsampling-factor="$(cat "$model/frame_subsampling_factor")" \
      "$model/final.mdl" ark:- ark:- 2>>"$decode/log/pipe.log" |
    nnet-pytorch-latgen-faster-mapped --beam=15 --lattice-beam=8 --max-active=7000 --acoustic-scale=1.0 \
      --word-symbol-table="$graph/words.txt" "$model/final.mdl" "$graph/HCLG.fst" ark:- ark:- 2>>"$decode/log/pipe.log" |
    lattice-best-path --acoustic-scale=1.0 ark:- ark,t:- 2>>"$decode/log/pipe.log" |
    utils/int2sym.py -f 2- "$graph/words.txt" > "$decode/pipe.txt" ||
    { echo "$0: the chain of pipes failed, see $decode/log/pipe.log" >&2; exit 1; }
  compute-wer --text --mode=present "ark:$data/text" "ark:$decode/pipe.txt"
fi
