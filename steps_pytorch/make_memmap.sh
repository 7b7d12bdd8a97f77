#!/usr/bin/env bash
# Makes a memory-mapped store of a data directory's features, or of features computed from its recordings.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
dtype=float32
part_megabytes=256
mfcc_config=
fbank_config=
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <store-dir>
e.g.: $0 --nj 4 --dtype float16 data/train exp/memmap/train
Run again after an interruption, it goes on where it stopped. numpy reads the store's frames.*.npy too.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --dtype <float32|float16>        # how numbers are stored (float32)
  --part-megabytes <n>             # size of its files (256)
  --mfcc-config, --fbank-config <file>  # compute features from wav.scp by Kaldi's options, instead of taking feats.scp"

steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
utils=$(cd "$steps/../utils" && pwd)
echo "$0 $*"
if [ -f ./path.sh ]; then . ./path.sh; fi
. "$utils/parse_options.sh"

if [ $# -ne 2 ]; then
  printf '%s\n' "$help_message" >&2
  exit 1
fi
data=$1 store=$2
fail() { echo "$0: $1" >&2; exit 1; }

command -v nnet-pytorch-path >/dev/null || fail "nnet-pytorch is not installed: no nnet-pytorch-path on the PATH"
PATH="$(nnet-pytorch-path --print-args=false):$PATH"
: "${cmd:=$utils/run.py}"
[ -z "$mfcc_config" ] || [ -z "$fbank_config" ] || fail "give one of --mfcc-config and --fbank-config"
needed="$data/utt2spk $mfcc_config $fbank_config"
if [ -n "$mfcc_config$fbank_config" ]; then needed+=" $data/wav.scp"; else needed+=" $data/feats.scp"; fi
for file in $needed; do
  [ -f "$file" ] || fail "no such file $file"
done

mkdir -p "$store/log"
"$utils/split_data.sh" --per-utt "$data" "$nj"
split=$data/split${nj}utt
if [ -z "$mfcc_config$fbank_config" ]; then
  feats="scp:$split/JOB/feats.scp"
else
  waves="scp,p:$split/JOB/wav.scp"
  if [ -f "$data/segments" ]; then
    waves="ark:extract-segments scp,p:$split/JOB/wav.scp $split/JOB/segments ark:- |"
  fi
  program="compute-mfcc-feats --config=$mfcc_config"
  if [ -n "$fbank_config" ]; then program="compute-fbank-feats --config=$fbank_config"; fi
  case $waves in
    scp*) feats="ark:$program $waves ark:- |" ;;
    *) feats="ark:${waves#ark:} $program ark:- ark:- |" ;;
  esac
fi
$cmd JOB=1:"$nj" "$store/log/store.JOB.log" \
  nnet-pytorch-store-frames --job=JOB --dtype="$dtype" --part-megabytes="$part_megabytes" "$feats" "$store"
nnet-pytorch-finish-store "$store" "$nj"
left_out=$(cat "$store"/log/store.*.log | grep 'is left out' || true)
if [ -n "$left_out" ]; then
  echo "$0: $(wc -l <<< "$left_out") utterances of $data are not in $store (see its log), the first:" >&2
  head -n 5 <<< "$left_out" >&2
fi
