#!/usr/bin/env bash
# Makes the supervisions of utterances for LF-MMI training, with all alternatives of their lattices.
set -euo pipefail

# Begin configuration section.
cmd=
left_tolerance=5
right_tolerance=5
frame_subsampling_factor=3
lm_scale=0.0
# End configuration section.

help_message="Usage: $0 [options] <lat-dir|ali-dir|decode-dir> <tree-dir> <dir>
e.g.: $0 exp/tri3_lats exp/chain_tree exp/chain/supervision
      $0 --frame-subsampling-factor 1 --left-tolerance 1 --right-tolerance 1 --lm-scale 0.5 \\
        exp/seed/decode_unlabeled exp/chain_tree exp/chain/supervision_unlabeled
Reads lat.*.gz (align_lats.sh, align_fmllr_lats.sh; decode.sh, for self-training) or, where there are none,
ali.*.gz, and final.mdl of there or, for a decode directory, above it; from <tree-dir> tree and final.mdl.
Writes <dir>/supervision.scp; each job does one of the files.
  --cmd <cmd>                      # how to run jobs: run.pl, queue.pl ... (this machine)
  --left-tolerance, --right-tolerance <n>  # frames that phones may move (5, 5)
  --frame-subsampling-factor <n>   # frames of the lattices for one of the model; lattices of a chain model: 1 (3)
  --lm-scale <x>                   # scale of the lattices' graph costs (0.0)"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 3 ] || usage
source=$1 tree=$2 dir=$3
model=$source/final.mdl
if [ ! -f "$model" ]; then model=$(dirname "$source")/final.mdl; fi # of a decode directory

use_programs
needs "$model" "$tree/tree" "$tree/final.mdl"

options=(--frame-subsampling-factor="$frame_subsampling_factor" --lm-scale="$lm_scale"
  --left-tolerance="$left_tolerance" --right-tolerance="$right_tolerance")
if [ -f "$source/lat.1.gz" ]; then
  kind=lat
  options+=(--lattice-input=true)
  phones="ark:gunzip -c $(quoted "$source")/lat.JOB.gz | \
lattice-align-phones --replace-output-symbols=true $(quoted "$model") ark:- ark:- |"
elif [ -f "$source/ali.1.gz" ]; then
  kind=ali
  phones="ark:gunzip -c $(quoted "$source")/ali.JOB.gz | \
ali-to-phones --write-lengths=true $(quoted "$model") ark:- ark:- |"
else
  fail "no such file $source/lat.1.gz or $source/ali.1.gz"
fi
nj=1
while [ -f "$source/$kind.$((nj + 1)).gz" ]; do nj=$((nj + 1)); done

mkdir -p "$dir/log"
rm -f "$dir/supervision.scp"
tables=$(ark_scp "$dir/supervision.JOB")
run_jobs JOB=1:"$nj" "$dir/log/supervision.JOB.log" \
  chain-get-supervision "${options[@]}" "$tree/tree" "$tree/final.mdl" "$phones" "$tables"
for job in $(seq "$nj"); do cat "$dir/supervision.$job.scp"; done > "$dir/.supervision.scp.$$"
mv "$dir/.supervision.scp.$$" "$dir/supervision.scp"
echo "$0: supervisions of $(wc -l < "$dir/supervision.scp") utterances in $dir"
