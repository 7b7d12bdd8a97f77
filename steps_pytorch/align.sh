#!/usr/bin/env bash
# Aligns data with a GMM: arguments, options and files of Kaldi's steps/align_si.sh.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
use_graphs=false
scale_opts="--transition-scale=1.0 --acoustic-scale=0.1 --self-loop-scale=0.1"
beam=10
retry_beam=40
boost_silence=1.0
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir> <src-dir> <align-dir>
e.g.: $0 data/train data/lang exp/tri1 exp/tri1_ali
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --use-graphs <true|false>        # the training graphs in <src-dir>, of the same data and number of jobs (false)
  --beam, --retry-beam, --scale-opts, --boost-silence"

steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
utils=$(cd "$steps/../utils" && pwd)
echo "$0 $*"
if [ -f ./path.sh ]; then . ./path.sh; fi
. "$utils/parse_options.sh"
. "$steps/gmm.sh"

if [ $# -ne 4 ]; then
  printf '%s\n' "$help_message" >&2
  exit 1
fi
data=$1 lang=$2 source=$3 dir=$4
[ -f "$source/tree" ] || fail "no such file $source/tree"
gmm_prepare "$data" "$lang" "$source" "$dir"
cp "$source/tree" "$source/final.mdl" "$dir"
if [ -f "$source/final.occs" ]; then cp "$source/final.occs" "$dir"; fi

model=$dir/final.mdl
if [ "$boost_silence" != 1.0 ]; then
  model="gmm-boost-silence --boost=$boost_silence $(cat "$lang/phones/optional_silence.csl") $model - |"
fi
graphs="ark:compile-train-graphs --read-disambig-syms=$lang/phones/disambig.int $dir/tree $dir/final.mdl $lang/L.fst \
'ark:$utils/sym2int.py --map-oov $(cat "$lang/oov.int") -f 2- $lang/words.txt $split/JOB/text|' ark:- |"
if $use_graphs; then
  [ "$(cat "$source/num_jobs")" = "$nj" ] || fail "--use-graphs needs --nj $(cat "$source/num_jobs"), as $source has"
  [ -f "$source/fsts.1.gz" ] || fail "no such file $source/fsts.1.gz"
  graphs="ark:gunzip -c $source/fsts.JOB.gz|"
fi
# shellcheck disable=SC2086
$cmd JOB=1:"$nj" "$dir/log/align.JOB.log" \
  gmm-align-compiled $scale_opts --beam="$beam" --retry-beam="$retry_beam" $front_end "$model" "$graphs" "$feats" \
  "ark:|gzip -c >$dir/ali.JOB.gz"
gmm_failed "$dir/log/align.*.log" 'errors on' "utterances were not aligned"
echo "$0: done aligning data."
