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

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"

[ $# -eq 4 ] || usage
data=$1 lang=$2 source=$3 dir=$4
needs "$source/tree"
gmm_prepare "$data" "$lang" "$source" "$dir"
cp "$source/tree" "$source/final.mdl" "$dir"
if [ -f "$source/final.occs" ]; then cp "$source/final.occs" "$dir"; fi

if [ "$stage" -le 0 ]; then
  transcripts=$(gmm_transcripts "$lang")
  # The graphs hold the transition probabilities, as the search for lattices cannot add them.
  # shellcheck disable=SC2086
  run_jobs JOB=1:"$nj" "$dir/log/compile_graphs.JOB.log" \
    compile-train-graphs --read-disambig-syms="$lang/phones/disambig.int" $scale_opts "$dir/tree" "$dir/final.mdl" \
    "$lang/L.fst" "$transcripts" "ark:|gzip -c >$(quoted "$dir")/fsts.JOB.gz"
fi
if [ "$stage" -le 1 ]; then
  model=$(gmm_boosted "$dir/final.mdl" "$lang")
  # --word-determinize=false keeps the alternatives of words; with the beam of the search nothing more is pruned.
  # shellcheck disable=SC2086
  run_jobs JOB=1:"$nj" "$dir/log/generate_lattices.JOB.log" \
    gmm-latgen-faster --max-active="$max_active" --acoustic-scale="$acoustic_scale" --beam="$final_beam" \
    --lattice-beam="$final_beam" --allow-partial=false --word-determinize=false "${front_end[@]}" "$model" \
    "ark:gunzip -c $(quoted "$dir")/fsts.JOB.gz|" "$feats" "ark:|gzip -c >$(quoted "$dir")/lat.JOB.gz"
fi
if [ "$stage" -le 2 ] && $generate_ali_from_lats; then
  run_jobs JOB=1:"$nj" "$dir/log/generate_alignments.JOB.log" \
    lattice-best-path --acoustic-scale="$acoustic_scale" "ark:gunzip -c $(quoted "$dir")/lat.JOB.gz |" ark:/dev/null \
    "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
fi
gmm_failed 'failed for' "utterances have no training graph" "$dir"/log/compile_graphs.*.log
gmm_failed 'failed for' "utterances have no lattice" "$dir"/log/generate_lattices.*.log
echo "$0: done generating lattices from training transcripts."
