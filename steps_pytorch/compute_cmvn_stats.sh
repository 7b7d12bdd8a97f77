#!/usr/bin/env bash
# Computes the statistics of each speaker's features: arguments and files of Kaldi's steps/compute_cmvn_stats.sh.
set -euo pipefail

help_message="Usage: $0 <data-dir> [<log-dir> [<cmvn-dir>]]
e.g.: $0 data/train exp/make_mfcc/train mfcc
<log-dir> is <data-dir>/log where it is not given, <cmvn-dir> <data-dir>/data."

steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
utils=$(cd "$steps/../utils" && pwd)
echo "$0 $*"
if [ -f ./path.sh ]; then . ./path.sh; fi
. "$utils/parse_options.sh"

if [ $# -lt 1 ] || [ $# -gt 3 ]; then
  printf '%s\n' "$help_message" >&2
  exit 1
fi
data=$1 logs=${2:-$1/log} folder=${3:-$1/data}
fail() { echo "$0: $1" >&2; exit 1; }
command -v nnet-pytorch-path >/dev/null || fail "nnet-pytorch is not installed: no nnet-pytorch-path on the PATH"
PATH="$(nnet-pytorch-path --print-args=false):$PATH"
for file in "$data/feats.scp" "$data/spk2utt"; do
  [ -f "$file" ] || fail "no such file $file"
done

mkdir -p "$folder" "$logs"
folder=$(cd "$folder" && pwd)
name=$(basename "$data")
compute-cmvn-stats --spk2utt="ark:$data/spk2utt" "scp:$data/feats.scp" \
  "ark,scp:$folder/cmvn_$name.ark,$folder/cmvn_$name.scp" 2> "$logs/cmvn_$name.log" ||
  fail "error computing CMVN stats, see $logs/cmvn_$name.log"
cp "$folder/cmvn_$name.scp" "$data/cmvn.scp"

made=$(wc -l < "$data/cmvn.scp") speakers=$(wc -l < "$data/spk2utt")
if [ "$made" -ne "$speakers" ]; then
  echo "$0: only $made of $speakers speakers of $data got statistics, see $logs/cmvn_$name.log" >&2
fi
echo "$0: Succeeded creating CMVN stats for $name"
