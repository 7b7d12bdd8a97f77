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
careful=false
boost_silence=1.0
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir> <src-dir> <align-dir>
e.g.: $0 data/train data/lang exp/tri1 exp/tri1_ali
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --use-graphs <true|false>        # the training graphs in <src-dir>, of the same data and number of jobs (false)
  --beam, --retry-beam, --scale-opts, --boost-silence
  --careful true                   # no alignment where words end before the sound does (false)"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"

[ $# -eq 4 ] || usage
data=$1 lang=$2 source=$3 dir=$4
needs "$source/tree"
gmm_prepare "$data" "$lang" "$source" "$dir"
cp "$source/tree" "$source/final.mdl" "$dir"
if [ -f "$source/final.occs" ]; then cp "$source/final.occs" "$dir"; fi

model=$(gmm_boosted "$dir/final.mdl" "$lang")
transcripts=$(gmm_transcripts "$lang")
graphs="ark:compile-train-graphs --read-disambig-syms=$(quoted "$lang")/phones/disambig.int $(quoted "$dir")/tree \
$(quoted "$dir")/final.mdl $(quoted "$lang")/L.fst $(quoted "$transcripts") ark:- |"
if $use_graphs; then
  gmm_check_graphs "$source"
  graphs="ark:gunzip -c $(quoted "$source")/fsts.JOB.gz|"
fi
# shellcheck disable=SC2086
run_jobs JOB=1:"$nj" "$dir/log/align.JOB.log" \
  gmm-align-compiled $scale_opts --beam="$beam" --retry-beam="$retry_beam" --careful="$careful" \
  "${front_end[@]}" "$model" "$graphs" "$feats" "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
gmm_failed 'errors on' "utterances were not aligned" "$dir"/log/align.*.log
echo "$0: done aligning data."
