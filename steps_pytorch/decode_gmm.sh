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
The model is <decode-dir>/../final.mdl, with what its features are made by beside it (cmvn_opts, delta_opts, or splice_opts
and final.mat). Features are not adapted to speakers: decode_fmllr.sh does that.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --model <mdl>                    # another model
  --acwt <x>                       # acoustic scale of the search (0.083333)
  --beam, --lattice-beam, --max-active
  --stage 1                        # only score;  --skip-scoring true: never
  --scoring-opts <string>          # options of score.sh"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"

[ $# -eq 3 ] || usage
graph=$1 data=$2 dir=$3
source=$(dirname "$dir")
: "${model:=$source/final.mdl}"
gmm_programs
needs "$graph/HCLG.fst" "$graph/words.txt" "$model"
if [ "$model" -ef "$source/final.mdl" ] && [ -f "$source/final.alimdl" ]; then
  echo "$0: warning: $model expects features that are adapted to speakers (decode_fmllr.sh); these are not" >&2
fi
mkdir -p "$dir/log"
check_input "$source" "$data"
gmm_features "$data" "$source" "$dir"
echo "$nj" > "$dir/num_jobs"

if [ "$stage" -le 0 ]; then
  rm -f "$dir"/lat.*.gz
  run_jobs JOB=1:"$nj" "$dir/log/decode.JOB.log" \
    gmm-latgen-faster --max-active="$max_active" --beam="$beam" --lattice-beam="$lattice_beam" \
    --acoustic-scale="$acwt" --allow-partial=true --word-symbol-table="$graph/words.txt" "${front_end[@]}" \
    "$model" "$graph/HCLG.fst" "$feats" "ark:|gzip -c >$(quoted "$dir")/lat.JOB.gz"
  gmm_failed 'failed for' "utterances were not decoded" "$dir"/log/decode.*.log
fi
if ! $skip_scoring; then
  score "$data" "$graph" "$dir"
fi
