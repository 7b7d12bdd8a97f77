#!/usr/bin/env bash
# Lattices of all pronunciations and silences of the transcripts, for LF-MMI, with features that fMLLR adapts to each speaker:
# arguments, options and files of Kaldi's steps/align_fmllr_lats.sh.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
stage=0
scale_opts="--transition-scale=1.0 --self-loop-scale=0.1"
acoustic_scale=0.1
beam=10
retry_beam=40
final_beam=20
max_active=7000
boost_silence=1.0
fmllr_update_type=full
generate_ali_from_lats=false
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir> <src-dir> <lats-dir>
e.g.: $0 data/train data/lang exp/tri3 exp/tri3_lats
The model of <src-dir> is one of train_sat.sh, or any other; align_lats.sh does not adapt the features.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --stage <n>                      # 0 graphs, 1 first alignments, 2 transforms, 3 lattices, 4 alignments from them
  --generate-ali-from-lats <true|false>  # write the best paths to ali.*.gz, too (false)
  --fmllr-update-type <full|diag|offset|none>  # (full)
  --beam, --retry-beam             # of the first alignments (10, 40)
  --final-beam <x>                 # beam of search and lattices (20)
  --max-active, --acoustic-scale, --scale-opts, --boost-silence"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"
. "$steps/lib/fmllr.sh"
. "$steps/lib/transcript_lattices.sh"

[ $# -eq 4 ] || usage
data=$1 lang=$2 source=$3 dir=$4
fmllr_prepare
if [ "$stage" -le 0 ]; then graphs_with_transitions; fi
if [ "$stage" -le 1 ]; then
  fmllr_first_alignments "ark:gunzip -c $(quoted "$dir")/fsts.JOB.gz|" \
    "--transition-scale=0 --self-loop-scale=0 --acoustic-scale=$acoustic_scale"
fi
if [ "$stage" -le 2 ]; then fmllr_transforms; fi
fmllr_adapt
if [ "$stage" -le 3 ]; then lattices_of_graphs; fi
if [ "$stage" -le 4 ] && $generate_ali_from_lats; then alignments_of_lattices; fi
rm -f "$dir"/pre_ali.*.gz
lattice_report
