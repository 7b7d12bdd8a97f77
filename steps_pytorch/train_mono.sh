#!/usr/bin/env bash
# Trains monophone HMM-GMMs from transcripts alone: arguments, options and files of Kaldi's steps/train_mono.sh.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
stage=-4
num_iters=40
max_iter_inc=30
totgauss=1000
realign_iters="1 2 3 4 5 6 7 8 9 10 12 14 16 18 20 23 26 29 32 35 38"
initial_beam=6
regular_beam=10
retry_beam=40
careful=false
boost_silence=1.0
power=0.25
scale_opts="--transition-scale=1.0 --acoustic-scale=0.1 --self-loop-scale=0.1"
cmvn_opts=
delta_opts=
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir> <dir>
e.g.: $0 --nj 4 data/train data/lang exp/mono
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --stage <n>                      # -3 model, -2 graphs, -1 first pass, 1, 2, ... go on with that pass (-4)
  --num-iters <n>                  # passes (40); no more Gaussians from --max-iter-inc (30) on
  --totgauss <n>                   # Gaussians (1000)
  --realign-iters <list>           # passes that align anew
  --initial-beam <x>, --regular-beam <x>, --retry-beam <x>, --scale-opts <opts>  # of alignments; the first beam in pass 1
  --careful true                   # no alignment where words end before the sound does (false)
  --boost-silence <x>              # factor of silence likelihoods in alignment (1.0)
  --power <x>                      # a pdf's share of Gaussians grows with its count to this power (0.25)
  --cmvn-opts <opts>, --delta-opts <opts>      # of the features; e.g. \"--norm-vars=true\""

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"
. "$steps/lib/gmm_training.sh"

[ $# -eq 3 ] || usage
data=$1 lang=$2 dir=$3
beam=$regular_beam first_beam=$initial_beam
cmvn_opts=$(checked_options --cmvn-opts "$cmvn_opts")
delta_opts=$(checked_options --delta-opts "$delta_opts")
gmm_programs
training_directory
gmm_features "$data" "$dir" "$dir"
training_jobs

if [ "$stage" -le -3 ]; then
  echo "$0: initializing monophones"
  rm -f "$dir"/ali.*.gz
  dim=$(gmm_dim)
  run_jobs JOB=1 "$dir/log/init.JOB.log" \
    gmm-init-mono --shared-phones="$lang/phones/sets.int" --train-feats="$feats" --max-utterances=10 \
    "${front_end[@]}" "$lang/topo" "$dim" "$dir/0.mdl" "$dir/tree"
fi
if [ "$stage" -le -2 ]; then compile_graphs 0; fi
current="ark:gunzip -c $(quoted "$dir")/ali.JOB.gz|"
gaussians=$(tree-info --print-args=false "$dir/tree" | awk '/num-pdfs/ {print $NF}')
if [ "$stage" -le -1 ]; then
  echo "$0: first pass, with equal alignments"
  run_jobs JOB=1:"$nj" "$dir/log/align.0.JOB.log" \
    align-equal-compiled "ark:gunzip -c $(quoted "$dir")/fsts.JOB.gz|" "$feats" \
    "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
  accumulate 0 "$current"
  # Few frames suffice at first, else rare phones would never be estimated, and then never be aligned properly.
  update 0 "$gaussians" --min-gaussian-occupancy=3
fi
training_passes "$gaussians"
link_final mdl occs
training_report
