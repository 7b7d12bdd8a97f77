#!/usr/bin/env bash
# Speaker-adapted training: triphone HMM-GMMs on features that fMLLR adapts to each speaker, with a second model for features
# that are not adapted yet (final.alimdl). Arguments, options and files of Kaldi's steps/train_sat.sh.
set -euo pipefail

# Begin configuration section.
cmd=
stage=-5
exit_stage=-100
num_iters=35
max_iter_inc=25
realign_iters="10 20 30"
fmllr_iters="2 4 6 12"
fmllr_update_type=full
silence_weight=0.0
train_tree=true
phone_map=
beam=10
retry_beam=40
careful=false
boost_silence=1.0
power=0.2
cluster_thresh=-1
scale_opts="--transition-scale=1.0 --acoustic-scale=0.1 --self-loop-scale=0.1"
context_opts=
tree_stats_opts=
cluster_phones_opts=
compile_questions_opts=
# End configuration section.

help_message="Usage: $0 [options] <num-leaves> <tot-gauss> <data-dir> <lang-dir> <ali-dir> <dir>
e.g.: $0 2500 15000 data/train data/lang exp/tri2_ali exp/tri3
<ali-dir> is a directory of alignments, of align_si.sh or, with transforms of the speakers, align_fmllr.sh. Features are
made as there, and there are as many jobs.
  --fmllr-iters <list>             # passes that estimate transforms (2 4 6 12)
  --fmllr-update-type <full|diag|offset|none>  # (full)
  --silence-weight <x>             # of silence, in the estimation of transforms (0.0)
  --train-tree <true|false>        # false: the tree of <ali-dir> (true)
  --phone-map <file>               # from the phones of <ali-dir> to those of <lang-dir>
  --stage <n>                      # -5 transforms, -3 tree, -1 alignments, 0 graphs, 1, 2, ... go on with that pass (-5)
  --exit-stage 0                   # end in front of the graphs
  --power <x>                      # a pdf's share of Gaussians grows with its count to this power (0.2)
  --tree-stats-opts <opts>, --cluster-phones-opts <opts>, --compile-questions-opts <opts>  # of the tree
  --cmd, --num-iters, --max-iter-inc, --realign-iters, --beam, --retry-beam, --scale-opts, --careful,
  --boost-silence, --cluster-thresh, --context-opts    # as of train_deltas.sh"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"
. "$steps/lib/gmm_training.sh"

[ $# -eq 6 ] || usage
leaves=$1 totgauss=$2 data=$3 lang=$4 alignments=$5 dir=$6
whole_speakers=true
gmm_programs
training_alignments
cmvn_opts=$(options_in "$alignments/cmvn_opts")
delta_opts=$(options_in "$alignments/delta_opts")
training_directory
for file in splice_opts final.mat full.mat; do
  if [ -f "$alignments/$file" ]; then cp "$alignments/$file" "$dir"; fi
done
gmm_features "$data" "$dir" "$dir"
training_jobs
unadapted=("${front_end[@]}")
silence=$(phones_in "$lang/phones/silence.csl")

adapt_by() { # <rspecifier>: features are from now on those of these transforms
  front_end=("${unadapted[@]}" "--speaker-transforms=$1")
}

estimate_transforms() { # <n> <model> <alignments> [<option> ...]: of pass n
  local number=$1 model=$2 aligned=$3 job
  shift 3
  run_jobs JOB=1:"$nj" "$dir/log/fmllr.$number.JOB.log" \
    gmm-est-fmllr --fmllr-update-type="$fmllr_update_type" --spk2utt="ark:$split/JOB/spk2utt" \
    --posteriors-of=alignments --silence-phones="$silence" --silence-weight="$silence_weight" "$@" \
    "${front_end[@]}" "$model" "$feats" "$aligned" "ark:$dir/new_trans.JOB"
  for job in $(seq "$nj"); do mv "$dir/new_trans.$job" "$dir/trans.$job"; done
}

adapt_features() {
  if [[ " $fmllr_iters " == *" $1 "* ]]; then
    if [ "$stage" -le "$1" ]; then estimate_transforms "$1" "$dir/$1.mdl" "$current" --compose=true; fi
    adapt_by "ark:$dir/trans.JOB"
  fi
}

if [ -f "$alignments/trans.1" ]; then
  echo "$0: the first transforms are those of $alignments"
  adapt_by "ark:cat $(quoted "$alignments")/trans.*|"
else
  if [ "$stage" -le -5 ]; then
    echo "$0: estimating the first transforms"
    [ -z "$phone_map" ] || fail "--phone-map needs transforms in $alignments"
    estimate_transforms 0 "$alignments/final.mdl" "ark:gunzip -c $(quoted "$alignments")/ali.*.gz|"
  fi
  adapt_by "ark:$dir/trans.JOB"
fi
if [ "$stage" -le -3 ] && $train_tree; then
  echo "$0: building the tree"
  grow_tree --cluster-phones-opts "$cluster_phones_opts" --compile-questions-opts "$compile_questions_opts"
fi
if [ "$stage" -le -2 ] && ! $train_tree; then flat_model; fi
if [ "$stage" -le -1 ]; then convert_alignments; fi
if [ "$exit_stage" -eq 0 ]; then exit 0; fi
if [ "$stage" -le 0 ] && [ -n "$realign_iters" ]; then compile_graphs 1; fi
training_passes "$leaves"
if [ "$stage" -le "$last" ]; then
  # Gaussian by Gaussian as the model, but of features that are not adapted: for the first alignment of a new speaker.
  run_jobs JOB=1:"$nj" "$dir/log/acc_alimdl.JOB.log" \
    gmm-acc-stats-twofeats --posteriors-of=alignments "${front_end[@]}" "$dir/$last.mdl" "$feats" "$feats" \
    "$current" "$dir/$last.JOB.acc"
  accumulated=()
  for job in $(seq "$nj"); do accumulated+=("$dir/$last.$job.acc"); done
  run_jobs "$dir/log/est_alimdl.log" \
    gmm-est --power="$power" --remove-low-count-gaussians=false "$dir/$last.mdl" "${accumulated[@]}" "$dir/$last.alimdl"
  rm "${accumulated[@]}"
fi
link_final mdl occs alimdl
training_report
