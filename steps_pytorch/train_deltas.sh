#!/usr/bin/env bash
# Trains triphone HMM-GMMs on features with deltas: arguments, options and files of Kaldi's steps/train_deltas.sh.
set -euo pipefail

# Begin configuration section.
cmd=
stage=-4
num_iters=35
max_iter_inc=25
realign_iters="10 20 30"
beam=10
retry_beam=40
careful=false
boost_silence=1.0
power=0.25
cluster_thresh=-1
scale_opts="--transition-scale=1.0 --acoustic-scale=0.1 --self-loop-scale=0.1"
cmvn_opts=
delta_opts=
context_opts=
# End configuration section.

help_message="Usage: $0 [options] <num-leaves> <tot-gauss> <data-dir> <lang-dir> <ali-dir> <dir>
e.g.: $0 2000 10000 data/train data/lang exp/mono_ali exp/tri1
<ali-dir> is a directory of alignments: of align_si.sh, or that of the monophones themselves. It sets the number of jobs.
  --cmd <cmd>                      # how to run jobs: run.pl, queue.pl ... (this machine)
  --stage <n>                      # -3 tree, -1 alignments, 0 graphs, 1, 2, ... go on with that pass (-4)
  --num-iters <n>                  # passes (35); no more Gaussians from --max-iter-inc (25) on
  --realign-iters <list>           # passes that align anew (10 20 30)
  --beam <x>, --retry-beam <x>, --scale-opts <opts>  # of alignments
  --careful true                   # no alignment where words end before the sound does (false)
  --boost-silence <x>              # factor of silence likelihoods in alignment (1.0)
  --power <x>                      # a pdf's share of Gaussians grows with its count to this power (0.25)
  --cluster-thresh <x>, --context-opts <opts>  # of the tree; e.g. \"--context-width=5 --central-position=2\"
  --cmvn-opts <opts>, --delta-opts <opts>      # of the features; e.g. \"--norm-vars=true\""

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"
. "$steps/lib/gmm_training.sh"

[ $# -eq 6 ] || usage
leaves=$1 totgauss=$2 data=$3 lang=$4 alignments=$5 dir=$6
cmvn_opts=$(checked_options --cmvn-opts "$cmvn_opts")
delta_opts=$(checked_options --delta-opts "$delta_opts")
gmm_programs
training_alignments
training_directory
gmm_features "$data" "$dir" "$dir"
training_jobs

if [ "$stage" -le -3 ]; then
  echo "$0: building the tree"
  grow_tree
  run_jobs "$dir/log/mixup.log" gmm-mixup --mix-up="$leaves" "$dir/1.mdl" "$dir/1.occs" "$dir/1.mdl"
fi
if [ "$stage" -le -1 ]; then convert_alignments; fi
if [ "$stage" -le 0 ]; then compile_graphs 1; fi
training_passes "$leaves"
link_final mdl occs
training_report
