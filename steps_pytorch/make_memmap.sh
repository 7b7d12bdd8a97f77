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

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 2 ] || usage
data=$1 store=$2

use_programs
[ -z "$mfcc_config" ] || [ -z "$fbank_config" ] || fail "give one of --mfcc-config and --fbank-config"
config=$mfcc_config$fbank_config
if [ -n "$config" ]; then needs "$config" "$data/wav.scp"; else needs "$data/feats.scp"; fi

mkdir -p "$store/log"
at_most "$data" utterances
"$utils/split_data.sh" --per-utt "$data" "$nj"
split=$data/split${nj}utt
if [ -z "$config" ]; then
  feats="scp:$split/JOB/feats.scp"
else
  program=compute-mfcc-feats
  if [ -n "$fbank_config" ]; then program=compute-fbank-feats; fi
  program+=" --config=$(quoted "$config")"
  part=$(quoted "$split")/JOB
  if [ -f "$data/segments" ]; then
    feats="ark:extract-segments scp,p:$part/wav.scp $part/segments ark:- | $program ark:- ark:- |"
  else
    feats="ark:$program scp,p:$part/wav.scp ark:- |"
  fi
fi
run_jobs JOB=1:"$nj" "$store/log/store.JOB.log" \
  nnet-pytorch-store-frames --job=JOB --dtype="$dtype" --part-megabytes="$part_megabytes" "$feats" "$store"
nnet-pytorch-finish-store "$store" "$nj"
mkdir -p "$store/conf" # how the features were made, as data directories have it
rm -f "$store"/conf/{mfcc,fbank,plp,waveform}.conf
if [ -n "$mfcc_config" ]; then cp "$mfcc_config" "$store/conf/mfcc.conf"; fi
if [ -n "$fbank_config" ]; then cp "$fbank_config" "$store/conf/fbank.conf"; fi
if [ -z "$config" ] && [ -d "$data/conf" ]; then
  find "$data/conf" -maxdepth 1 '(' -name mfcc.conf -o -name fbank.conf -o -name plp.conf -o -name waveform.conf ')' -exec cp {} "$store/conf" ';'
fi
left_out=$(cat "$store"/log/store.*.log | grep -a 'is left out' || true)
if [ -n "$left_out" ]; then
  echo "$0: $(wc -l <<< "$left_out") utterances of $data are not in $store (see its log), the first:" >&2
  head -n 5 <<< "$left_out" >&2
fi
