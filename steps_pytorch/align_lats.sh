#!/usr/bin/env bash
# Lattices of all pronunciations and silences of the transcripts, for LF-MMI: arguments and files of Kaldi's
# steps/align_fmllr_lats.sh, but with speaker-independent features: no fMLLR.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
stage=0
scale_opts="--transition-scale=1.0 --self-loop-scale=0.1"
acoustic_scale=0.1
final_beam=20
max_active=7000
boost_silence=1.0
generate_ali_from_lats=false
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir> <src-dir> <lats-dir>
e.g.: $0 data/train data/lang exp/tri1 exp/tri1_lats
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --stage <n>                      # 0 graphs, 1 lattices, 2 alignments from them
  --generate-ali-from-lats <true|false>  # write the best paths to ali.*.gz, too (false)
  --final-beam <x>                 # beam of search and lattices (20)
  --max-active, --acoustic-scale, --scale-opts, --boost-silence"

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

if [ "$stage" -le 0 ]; then
  # The graphs hold the transition probabilities, as the search for lattices cannot add them.
  # shellcheck disable=SC2086
  $cmd JOB=1:"$nj" "$dir/log/compile_graphs.JOB.log" \
    compile-train-graphs --read-disambig-syms="$lang/phones/disambig.int" $scale_opts "$dir/tree" "$dir/final.mdl" \
    "$lang/L.fst" "ark:$utils/sym2int.py --map-oov $(cat "$lang/oov.int") -f 2- $lang/words.txt $split/JOB/text|" \
    "ark:|gzip -c >$dir/fsts.JOB.gz"
fi
if [ "$stage" -le 1 ]; then
  model=$dir/final.mdl
  if [ "$boost_silence" != 1.0 ]; then
    model="gmm-boost-silence --boost=$boost_silence $(cat "$lang/phones/optional_silence.csl") $model - |"
  fi
  # --word-determinize=false keeps the alternatives of words; with the beam of the search nothing more is pruned.
  # shellcheck disable=SC2086
  $cmd JOB=1:"$nj" "$dir/log/generate_lattices.JOB.log" \
    gmm-latgen-faster --max-active="$max_active" --acoustic-scale="$acoustic_scale" --beam="$final_beam" \
    --lattice-beam="$final_beam" --allow-partial=false --word-determinize=false $front_end "$model" \
    "ark:gunzip -c $dir/fsts.JOB.gz|" "$feats" "ark:|gzip -c >$dir/lat.JOB.gz"
fi
if [ "$stage" -le 2 ] && $generate_ali_from_lats; then
  $cmd JOB=1:"$nj" "$dir/log/generate_alignments.JOB.log" \
    lattice-best-path --acoustic-scale="$acoustic_scale" "ark:gunzip -c $dir/lat.JOB.gz |" ark:/dev/null \
    "ark:|gzip -c >$dir/ali.JOB.gz"
fi
gmm_failed "$dir/log/compile_graphs.*.log" 'failed for' "utterances have no training graph"
gmm_failed "$dir/log/generate_lattices.*.log" 'failed for' "utterances have no lattice"
echo "$0: done generating lattices from training transcripts."
