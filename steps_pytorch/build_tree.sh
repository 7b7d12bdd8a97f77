#!/usr/bin/env bash
# Builds the tree of a chain model: arguments, options and files of Kaldi's steps/nnet3/chain/build_tree.sh.
set -euo pipefail

# Begin configuration section.
cmd=
stage=-5
context_opts=
cluster_thresh=-1
frame_subsampling_factor=1
alignment_subsampling_factor=
tree_stats_opts=
cluster_phones_opts=
repeat_frames=false
# End configuration section.

help_message="Usage: $0 [options] <num-leaves> <data-dir> <lang-dir> <ali-dir> <dir>
e.g.: $0 --frame-subsampling-factor 3 --context-opts '--context-width=2 --central-position=1' \\
        3500 data/train data/lang_chain exp/tri1_ali exp/chain/tree
The topology of <lang-dir> may be another than that of <ali-dir>. Features are made as there, with its transforms of
speakers, if there are any.
  --cmd <cmd>                      # how to run jobs: run.pl, queue.pl ... (this machine)
  --stage <n>                      # -5 begins, -3 tree, -1 alignments
  --context-opts <opts>            # context of the tree; for chain models the one above
  --frame-subsampling-factor <n>   # frames of the features for one of the model (1)
  --alignment-subsampling-factor <n>  # of the alignments, where these are subsampled already
  --repeat-frames <true|false>     # keep the new alignments at the length of the old ones (false)
  --cluster-thresh, --tree-stats-opts, --cluster-phones-opts"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"

[ $# -eq 5 ] || usage
leaves=$1 data=$2 lang=$3 alignments=$4 dir=$5
: "${alignment_subsampling_factor:=$frame_subsampling_factor}"
needs "$alignments/final.mdl" "$alignments/ali.1.gz" "$alignments/num_jobs" "$lang/topo"
ali_jobs=$(number_in "$alignments/num_jobs")
nj=$ali_jobs
if [ -f "$alignments/trans.1" ]; then whole_speakers=true; fi
gmm_prepare "$data" "$lang" "$alignments" "$dir"
if [ -f "$alignments/trans.1" ]; then
  echo "$0: features are adapted to speakers by the transforms of $alignments"
  front_end+=("--speaker-transforms=ark:cat $(quoted "$alignments")/trans.*|")
fi
front_end+=("--subsample=$frame_subsampling_factor")

if [ "$stage" -le -5 ]; then
  # A model of monophones with the new topology, for the statistics.
  dim=$(gmm_dim)
  run_jobs "$dir/log/init_mono.log" \
    gmm-init-mono --shared-phones="$lang/phones/sets.int" "$lang/topo" "$dim" "$dir/mono.mdl" "$dir/mono.tree"
fi
if [ "$stage" -le -4 ]; then
  independent=$(phones_in "$lang/phones/context_indep.csl")
  # shellcheck disable=SC2086
  run_jobs JOB=1:"$nj" "$dir/log/acc_tree.JOB.log" \
    acc-tree-stats $context_opts $tree_stats_opts --ci-phones="$independent" "${front_end[@]}" \
    "$dir/mono.mdl" "$feats" "ark:gunzip -c $(quoted "$alignments")/ali.*.gz | convert-ali \
--frame-subsampling-factor=$(quoted "$alignment_subsampling_factor") $(quoted "$alignments")/final.mdl \
$(quoted "$dir")/mono.mdl $(quoted "$dir")/mono.tree ark:- ark:- |" \
    "$dir/JOB.treeacc"
  accumulated=()
  for job in $(seq "$nj"); do accumulated+=("$dir/$job.treeacc"); done
  run_jobs "$dir/log/sum_tree_acc.log" sum-tree-stats "$dir/treeacc" "${accumulated[@]}"
  rm "${accumulated[@]}"
fi
if [ "$stage" -le -3 ]; then
  "$steps/lib/tree.sh" --cmd "$cmd" --context-opts "$context_opts" --cluster-thresh "$cluster_thresh" \
    --cluster-phones-opts "$cluster_phones_opts" "$leaves" "$lang" "$dir"
  rm "$dir/treeacc"
fi
if [ "$stage" -le -1 ]; then
  run_jobs JOB=1:"$ali_jobs" "$dir/log/convert.JOB.log" \
    convert-ali --repeat-frames="$repeat_frames" --frame-subsampling-factor="$alignment_subsampling_factor" \
    "$alignments/final.mdl" "$dir/1.mdl" "$dir/tree" "ark:gunzip -c $(quoted "$alignments")/ali.JOB.gz|" \
    "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
fi
cp "$dir/1.mdl" "$dir/final.mdl"
gmm_failed 'failed for' "alignments could not be converted" "$dir"/log/convert.*.log
tree-info --print-args=false "$dir/tree" | prefixed "$dir/tree: "
