#!/usr/bin/env bash
# Trains triphone HMM-GMMs on spliced frames, reduced by LDA and made independent of each other by MLLT: arguments, options
# and files of Kaldi's steps/train_lda_mllt.sh.
set -euo pipefail

# Begin configuration section.
cmd=
stage=-5
num_iters=35
max_iter_inc=25
realign_iters="10 20 30"
mllt_iters="2 4 6 12"
dim=40
randprune=4.0
splice_opts=
use_lda_mat=
train_tree=true
beam=10
retry_beam=40
careful=false
boost_silence=1.0
power=0.25
cluster_thresh=-1
scale_opts="--transition-scale=1.0 --acoustic-scale=0.1 --self-loop-scale=0.1"
cmvn_opts=
context_opts=
# End configuration section.

help_message="Usage: $0 [options] <num-leaves> <tot-gauss> <data-dir> <lang-dir> <ali-dir> <dir>
e.g.: $0 --splice-opts '--left-context=3 --right-context=3' 2500 15000 data/train data/lang exp/tri1_ali exp/tri2
<ali-dir> is a directory of alignments: of align_si.sh, or that of another model. It sets the number of jobs.
  --dim <n>                        # dimensions that LDA leaves (40)
  --splice-opts <opts>             # neighbours of a frame; e.g. \"--left-context=3 --right-context=3\" (4 and 4)
  --mllt-iters <list>              # passes that estimate MLLT (2 4 6 12)
  --use-lda-mat <file>             # a matrix in place of LDA; with --mllt-iters '' the final one
  --randprune <x>                  # prune small posteriors at random, for LDA and MLLT to take so many times less (4.0)
  --train-tree <true|false>        # false: the tree of <ali-dir> (true)
  --stage <n>                      # -5 LDA, -3 tree, -1 alignments, 0 graphs, 1, 2, ... go on with that pass (-5)
  --cmd, --num-iters, --max-iter-inc, --realign-iters, --beam, --retry-beam, --scale-opts, --careful, --boost-silence,
  --power, --cluster-thresh, --context-opts, --cmvn-opts    # as of train_deltas.sh"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"
. "$steps/lib/gmm_training.sh"

[ $# -eq 6 ] || usage
leaves=$1 totgauss=$2 data=$3 lang=$4 alignments=$5 dir=$6
delta_opts=
cmvn_opts=$(checked_options --cmvn-opts "$cmvn_opts")
splice_opts=$(checked_options --splice-opts "$splice_opts")
gmm_programs
training_alignments
training_directory
echo "$splice_opts" > "$dir/splice_opts"
gmm_normalized "$data" "$cmvn_opts" "$dir"
training_jobs
gmm_spliced "$splice_opts"
spliced=("${front_end[@]}")
silence=$(phones_in "$lang/phones/silence.csl")
without_silence=(--posteriors-of=alignments "--silence-phones=$silence" --silence-weight=0)

transform_by() { # <n>: features are from now on those of <n>.mat
  matrix=$1
  front_end=("${spliced[@]}" "--transform=$dir/$matrix.mat")
}

estimate_lda() {
  local accumulated=() job
  run_jobs JOB=1:"$nj" "$dir/log/lda_acc.JOB.log" \
    acc-lda --rand-prune="$randprune" "${without_silence[@]}" "${spliced[@]}" "$alignments/final.mdl" "$feats" \
    "ark:gunzip -c $(quoted "$alignments")/ali.*.gz|" "$dir/lda.JOB.acc"
  for job in $(seq "$nj"); do accumulated+=("$dir/lda.$job.acc"); done
  run_jobs "$dir/log/lda_est.log" \
    est-lda --write-full-matrix="$dir/full.mat" --dim="$dim" "$dir/0.mat" "${accumulated[@]}"
  rm "${accumulated[@]}"
}

estimate_mllt() { # <n>: of pass n; makes <n>.mat
  local accumulated=() job
  run_jobs JOB=1:"$nj" "$dir/log/macc.$1.JOB.log" \
    gmm-acc-mllt --rand-prune="$randprune" "${without_silence[@]}" "${front_end[@]}" "$dir/$1.mdl" "$feats" \
    "$current" "$dir/$1.JOB.macc"
  for job in $(seq "$nj"); do accumulated+=("$dir/$1.$job.macc"); done
  run_jobs "$dir/log/mupdate.$1.log" est-mllt "$dir/$1.mat.new" "${accumulated[@]}"
  run_jobs "$dir/log/transform_means.$1.log" gmm-transform-means "$dir/$1.mat.new" "$dir/$1.mdl" "$dir/$1.mdl"
  run_jobs "$dir/log/compose.$1.log" compose-transforms "$dir/$1.mat.new" "$dir/$matrix.mat" "$dir/$1.mat"
  rm "${accumulated[@]}"
}

adapt_features() {
  if [[ " $mllt_iters " == *" $1 "* ]]; then
    if [ "$stage" -le "$1" ]; then estimate_mllt "$1"; fi
    transform_by "$1"
  fi
}

if [ "$stage" -le -5 ]; then
  if [ -n "$use_lda_mat" ]; then
    needs "$use_lda_mat"
    cp "$use_lda_mat" "$dir/0.mat"
  else
    echo "$0: LDA"
    estimate_lda
  fi
fi
transform_by 0
if [ "$stage" -le -3 ] && $train_tree; then
  echo "$0: building the tree"
  grow_tree
fi
if [ "$stage" -le -2 ] && ! $train_tree; then flat_model; fi
if [ "$stage" -le -1 ]; then convert_alignments; fi
if [ "$stage" -le 0 ] && [ -n "$realign_iters" ]; then compile_graphs 1; fi
training_passes "$leaves"
link_final mdl occs
ln -sf "$matrix.mat" "$dir/final.mat"
training_report
