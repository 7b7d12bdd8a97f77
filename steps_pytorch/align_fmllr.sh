#!/usr/bin/env bash
# Aligns data with a GMM and features that fMLLR adapts to each speaker: arguments, options and files of Kaldi's
# steps/align_fmllr.sh.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
stage=0
use_graphs=false
scale_opts="--transition-scale=1.0 --acoustic-scale=0.1 --self-loop-scale=0.1"
beam=10
retry_beam=40
careful=false
boost_silence=1.0
fmllr_update_type=full
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir> <src-dir> <align-dir>
e.g.: $0 data/train data/lang exp/tri3 exp/tri3_ali
The model of <src-dir> is one of train_sat.sh, or any other.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --stage <n>                      # 0 graphs, 1 first alignments, 2 transforms, 3 alignments
  --use-graphs <true|false>        # the training graphs in <src-dir>, of the same data and number of jobs (false)
  --fmllr-update-type <full|diag|offset|none>  # (full)
  --beam, --retry-beam, --scale-opts, --boost-silence
  --careful true                   # no alignment where words end before the sound does (false)"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"
. "$steps/lib/fmllr.sh"

[ $# -eq 4 ] || usage
data=$1 lang=$2 source=$3 dir=$4
fmllr_prepare
graphs="ark:gunzip -c $(quoted "$dir")/fsts.JOB.gz|"
if $use_graphs; then
  gmm_check_graphs "$source"
  graphs="ark:gunzip -c $(quoted "$source")/fsts.JOB.gz|"
elif [ "$stage" -le 0 ]; then
  transcripts=$(gmm_transcripts "$lang")
  run_jobs JOB=1:"$nj" "$dir/log/compile_graphs.JOB.log" \
    compile-train-graphs --read-disambig-syms="$lang/phones/disambig.int" "$dir/tree" "$model" "$lang/L.fst" \
    "$transcripts" "ark:|gzip -c >$(quoted "$dir")/fsts.JOB.gz"
  gmm_failed 'failed for' "utterances have no training graph" "$dir"/log/compile_graphs.*.log
fi
if [ "$stage" -le 1 ]; then fmllr_first_alignments "$graphs" "$scale_opts --careful=$careful"; fi
if [ "$stage" -le 2 ]; then fmllr_transforms; fi
fmllr_adapt
if [ "$stage" -le 3 ]; then
  boosted=$(gmm_boosted "$model" "$lang")
  # shellcheck disable=SC2086
  run_jobs JOB=1:"$nj" "$dir/log/align_pass2.JOB.log" \
    gmm-align-compiled $scale_opts --beam="$beam" --retry-beam="$retry_beam" --careful="$careful" \
    "${front_end[@]}" "$boosted" "$graphs" "$feats" "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
fi
rm -f "$dir"/pre_ali.*.gz
gmm_failed 'errors on' "utterances were not aligned" "$dir"/log/align_pass2.*.log
echo "$0: done aligning data."
