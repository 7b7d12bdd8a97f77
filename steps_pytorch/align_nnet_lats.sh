#!/usr/bin/env bash
# Lattices of all pronunciations and silences of the transcripts, by a network: options and files of Kaldi's
# steps/nnet3/align_lats.sh.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
stage=0
scale_opts=
acoustic_scale=
beam=20
frames_per_chunk=50
extra_left_context=0
extra_right_context=0
extra_left_context_initial=-1
extra_right_context_final=-1
online_ivector_dir=
generate_ali_from_lats=false
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir|graph-dir> <src-dir> <lats-dir>
e.g.: $0 data/train_hires data/lang_chain exp/chain/tdnn exp/chain/tdnn_lats
<src-dir> has final.mdl and tree, cmvn_opts and frame_subsampling_factor. Of a graph directory (HCLG.fst, or HCLr.fst and Gr.fst)
those ways are taken that say the transcript.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --stage <n>                      # 0 graphs, 1 lattices, 2 alignments from them
  --generate-ali-from-lats <true|false>  # write the best paths to ali.*.gz, too (false)
  --online-ivector-dir <dir>       # ivector_online.scp and ivector_period
  --acoustic-scale <x>             # 1.0 where outputs are subsampled (chain models), else 0.1
  --scale-opts <options>           # of transition probabilities in the graphs: self-loops as the acoustic scale
  --beam <x>                       # of search and lattices (20)
  --frames-per-chunk, --extra-{left,right}-context, --extra-left-context-initial, --extra-right-context-final"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"
. "$steps/lib/network_input.sh"

[ $# -eq 4 ] || usage
data=$1 lang=$2 source=$3 dir=$4
gmm_programs
gmm_needs "$data/text" "$source"/{final.mdl,tree}
network_options "$source" "$data" "$online_ivector_dir"
mkdir -p "$dir/log"
gmm_split "$data" "$dir"
network_feats "$source" "$data" "$split"
echo "$nj" > "$dir/num_jobs"
cp "$source/tree" "$source/final.mdl" "$dir"
for file in cmvn_opts frame_subsampling_factor phones.txt; do
  rm -f "$dir/$file"
  if [ -f "$source/$file" ]; then cp "$source/$file" "$dir"; fi
done
same_phones "$lang" "$source"
if [ -f "$lang/phones.txt" ]; then cp "$lang/phones.txt" "$dir"; fi
if [[ "${network_options[*]}" =~ --frame-subsampling-factor=([2-9]|[1-9][0-9]) ]]; then
  : "${acoustic_scale:=1.0}"
else
  : "${acoustic_scale:=0.1}"
fi
: "${scale_opts:=--transition-scale=1.0 --self-loop-scale=$acoustic_scale}"

if [ "$stage" -le 0 ]; then
  if [ -f "$lang/L.fst" ]; then
    transcripts=$(gmm_transcripts "$lang")
    # shellcheck disable=SC2086
    run_jobs JOB=1:"$nj" "$dir/log/compile_graphs.JOB.log" \
      compile-train-graphs --read-disambig-syms="$lang/phones/disambig.int" $scale_opts "$dir/tree" "$dir/final.mdl" \
      "$lang/L.fst" "$transcripts" "ark:|gzip -c >$(quoted "$dir")/fsts.JOB.gz"
  else
    run_jobs JOB=1:"$nj" "$dir/log/compile_graphs.JOB.log" \
      nnet-pytorch-compile-text-graphs "$lang" "$dir/final.mdl" "$split/JOB/text" \
      "ark:|gzip -c >$(quoted "$dir")/fsts.JOB.gz"
  fi
fi
if [ "$stage" -le 1 ]; then
  # --word-determinize=false keeps the alternatives of words; with the beam of the search nothing more is pruned.
  run_jobs JOB=1:"$nj" "$dir/log/generate_lattices.JOB.log" \
    nnet3-latgen-faster "${network_options[@]}" --acoustic-scale="$acoustic_scale" --beam="$beam" --lattice-beam="$beam" \
    --frames-per-chunk="$frames_per_chunk" --extra-left-context="$extra_left_context" \
    --extra-right-context="$extra_right_context" --extra-left-context-initial="$extra_left_context_initial" \
    --extra-right-context-final="$extra_right_context_final" --allow-partial=false --word-determinize=false \
    "$dir/final.mdl" "ark:gunzip -c $(quoted "$dir")/fsts.JOB.gz |" "$feats" \
    "ark:|gzip -c >$(quoted "$dir")/lat.JOB.gz"
fi
if [ "$stage" -le 2 ] && $generate_ali_from_lats; then
  run_jobs JOB=1:"$nj" "$dir/log/generate_alignments.JOB.log" \
    lattice-best-path --acoustic-scale="$acoustic_scale" "ark:gunzip -c $(quoted "$dir")/lat.JOB.gz |" ark:/dev/null \
    "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
fi
gmm_failed 'failed for' "utterances have no training graph" "$dir"/log/compile_graphs.*.log
gmm_failed 'failed for' "utterances have no lattice" "$dir"/log/generate_lattices.*.log
echo "$0: done generating lattices from training transcripts."
