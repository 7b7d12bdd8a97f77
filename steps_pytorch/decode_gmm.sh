#!/usr/bin/env bash
# Decodes a data directory with a GMM into lattices and scores them: arguments and files of Kaldi's steps/decode.sh.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
stage=0
acwt=0.083333
beam=13.0
lattice_beam=6.0
max_active=7000
model=
scoring_opts=
skip_scoring=false
# End configuration section.

help_message="Usage: $0 [options] <graph-dir> <data-dir> <decode-dir>
e.g.: $0 --nj 4 exp/tri1/graph data/test exp/tri1/decode_test
The model is <decode-dir>/../final.mdl, with cmvn_opts and delta_opts beside it.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --model <mdl>                    # another model
  --acwt <x>                       # acoustic scale of the search (0.083333)
  --beam, --lattice-beam, --max-active
  --stage 1                        # only score;  --skip-scoring true: never
  --scoring-opts <string>          # options of score.sh"

steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
utils=$(cd "$steps/../utils" && pwd)
echo "$0 $*"
if [ -f ./path.sh ]; then . ./path.sh; fi
. "$utils/parse_options.sh"
. "$steps/gmm.sh"

if [ $# -ne 3 ]; then
  printf '%s\n' "$help_message" >&2
  exit 1
fi
graph=$1 data=$2 dir=$3
source=$(dirname "$dir")
: "${model:=$source/final.mdl}"
gmm_programs
for file in "$graph/HCLG.fst" "$graph/words.txt" "$model"; do
  [ -f "$file" ] || fail "no such file $file"
done
mkdir -p "$dir/log"
echo "$nj" > "$dir/num_jobs"
gmm_features "$data" "$nj" "$(gmm_options "$source/cmvn_opts")" "$(gmm_options "$source/delta_opts")" "$dir"

if [ "$stage" -le 0 ]; then
  rm -f "$dir"/lat.*.gz
  # shellcheck disable=SC2086
  $cmd JOB=1:"$nj" "$dir/log/decode.JOB.log" \
    gmm-latgen-faster --max-active="$max_active" --beam="$beam" --lattice-beam="$lattice_beam" \
    --acoustic-scale="$acwt" --allow-partial=true --word-symbol-table="$graph/words.txt" $front_end \
    "$model" "$graph/HCLG.fst" "$feats" "ark:|gzip -c >$dir/lat.JOB.gz"
  gmm_failed "$dir/log/decode.*.log" 'failed for' "utterances were not decoded"
fi
if ! $skip_scoring; then
  score=$steps/score.sh
  if [ -x local/score.sh ]; then score=local/score.sh; fi
  # shellcheck disable=SC2086
  $score $scoring_opts --cmd "$cmd" "$data" "$graph" "$dir"
fi
