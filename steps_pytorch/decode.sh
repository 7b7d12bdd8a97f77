#!/usr/bin/env bash
# Decodes a data directory into lattices and scores them: arguments and files of Kaldi's steps/nnet3/decode.sh.
set -euo pipefail

# Begin configuration section.
stage=1
nj=4
acwt=0.1
post_decode_acwt=1.0
cmd=
beam=15.0
frames_per_chunk=50
max_active=7000
min_active=200
lattice_beam=8.0
iter=final
num_threads=1
use_gpu=false
scoring_opts=
skip_scoring=false
extra_left_context=0
extra_right_context=0
extra_left_context_initial=-1
extra_right_context_final=-1
online_ivector_dir=
minimize=false
prior_scale=
prior_floor=
# End configuration section.

help_message="Usage: $0 [options] <graph-dir> <data-dir> <decode-dir>
e.g.: $0 --nj 4 --acwt 1.0 --post-decode-acwt 10.0 exp/tdnn/graph data/test exp/tdnn/decode_test
The model is <decode-dir>/../final.mdl, with cmvn_opts and frame_subsampling_factor beside it.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --iter <name>                    # decode <name>.mdl (final)
  --acwt <x>                       # acoustic scale of the search (0.1; 1.0 for chain models)
  --post-decode-acwt <x>           # scale of the lattices' acoustic costs (1.0; 10.0 for chain models)
  --beam, --lattice-beam, --max-active, --min-active, --minimize
  --frames-per-chunk, --extra-{left,right}-context, --extra-left-context-initial, --extra-right-context-final
  --online-ivector-dir <dir>       # ivector_online.scp and ivector_period
  --prior-scale <x>                # exponent of the priors that outputs are divided by (1)
  --prior-floor <x>                # pdfs with a smaller prior cannot be decoded (0: all can)
  --num-threads <n>                # search threads per job (1)
  --use-gpu <true|false>           # compute the network on a GPU, batched (false)
  --stage 3                        # only score;  --skip-scoring true: never
  --scoring-opts <string>          # options of score.sh"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/network_input.sh"

[ $# -eq 3 ] || usage
graph=$1 data=$2 dir=$3

# Our programs stand under Kaldi's names; Kaldi's own lattice and feature tools are used where they are on the PATH.
use_programs

source=$(dirname "$dir")
model=$source/$iter.mdl
needs "$graph"/{HCLG.fst,words.txt} "$data"/{feats.scp,utt2spk} "$model"
same_phones "$graph" "$source"
network_options "$source" "$data" "$online_ivector_dir"

mkdir -p "$dir/log"
at_most "$data" utterances
echo "$nj" > "$dir/num_jobs"

options=("${network_options[@]}" --frames-per-chunk="$frames_per_chunk" --minimize="$minimize" --max-active="$max_active"
  --min-active="$min_active" --beam="$beam" --lattice-beam="$lattice_beam" --acoustic-scale="$acwt" --allow-partial=true
  --extra-left-context="$extra_left_context" --extra-right-context="$extra_right_context"
  --extra-left-context-initial="$extra_left_context_initial" --extra-right-context-final="$extra_right_context_final")
[ -z "$prior_scale" ] || options+=(--prior-scale="$prior_scale")
[ -z "$prior_floor" ] || options+=(--prior-floor="$prior_floor")

program=nnet3-latgen-faster
queue_options=()
if $use_gpu; then
  program+="-batch"
  options+=(--num-threads="$num_threads" --use-gpu=yes)
  queue_options=(--num-threads "$num_threads" --gpu 1)
elif [ "$num_threads" -gt 1 ]; then
  program+="-parallel"
  options+=(--num-threads="$num_threads")
  queue_options=(--num-threads "$num_threads")
fi

if [ "$stage" -le 1 ]; then
  "$utils/split_data.sh" --per-utt "$data" "$nj"
  split=$data/split${nj}utt
  network_feats "$source" "$data" "$split"
  lattices="ark:|gzip -c >$(quoted "$dir")/lat.JOB.gz"
  if [ "$post_decode_acwt" != 1.0 ]; then
    lattices="ark:|lattice-scale --acoustic-scale=$(quoted "$post_decode_acwt") ark:- ark:- | \
gzip -c >$(quoted "$dir")/lat.JOB.gz"
  fi
  rm -f "$dir"/lat.*.gz
  run_jobs "${queue_options[@]}" JOB=1:"$nj" "$dir/log/decode.JOB.log" \
    $program "${options[@]}" --word-symbol-table="$graph/words.txt" "$model" "$graph/HCLG.fst" "$feats" "$lattices"
fi

if [ "$stage" -le 3 ] && ! $skip_scoring; then
  score "$data" "$graph" "$dir"
fi
echo "Decoding done."
