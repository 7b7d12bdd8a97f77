#!/usr/bin/env bash
# Computes the statistics of each speaker's features: arguments and files of Kaldi's steps/compute_cmvn_stats.sh.
set -euo pipefail

help_message="Usage: $0 <data-dir> [<log-dir> [<cmvn-dir>]]
e.g.: $0 data/train exp/make_mfcc/train mfcc
<log-dir> is <data-dir>/log where it is not given, <cmvn-dir> <data-dir>/data."

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -ge 1 ] && [ $# -le 3 ] || usage
data=$1 logs=${2:-$1/log} folder=${3:-$1/data}
use_programs
needs "$data/feats.scp" "$data/spk2utt"

mkdir -p "$folder" "$logs"
folder=$(cd "$folder" && pwd)
name=$(basename "$data")
tables=$(ark_scp "$folder/cmvn_$name")
compute-cmvn-stats --spk2utt="ark:$data/spk2utt" "scp:$data/feats.scp" "$tables" 2> "$logs/cmvn_$name.log" ||
  fail "error computing CMVN stats, see $logs/cmvn_$name.log"
cp "$folder/cmvn_$name.scp" "$data/cmvn.scp"

made=$(wc -l < "$data/cmvn.scp") speakers=$(wc -l < "$data/spk2utt")
if [ "$made" -ne "$speakers" ]; then
  echo "$0: only $made of $speakers speakers of $data got statistics, see $logs/cmvn_$name.log" >&2
fi
echo "$0: Succeeded creating CMVN stats for $name"
