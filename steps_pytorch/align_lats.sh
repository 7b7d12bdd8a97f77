#!/usr/bin/env bash
# Lattices of all pronunciations and silences of the transcripts, for LF-MMI: align_fmllr_lats.sh without fMLLR.
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
. "$steps/lib/transcript_lattices.sh"

[ $# -eq 4 ] || usage
data=$1 lang=$2 source=$3 dir=$4
needs "$source/tree"
gmm_prepare "$data" "$lang" "$source" "$dir"
cp "$source/tree" "$source/final.mdl" "$dir"
if [ -f "$source/final.occs" ]; then cp "$source/final.occs" "$dir"; fi

if [ "$stage" -le 0 ]; then graphs_with_transitions; fi
if [ "$stage" -le 1 ]; then lattices_of_graphs; fi
if [ "$stage" -le 2 ] && $generate_ali_from_lats; then alignments_of_lattices; fi
lattice_report
