#!/usr/bin/env bash
# Makes a memory-mapped store of the pdfs of alignments: targets for cross-entropy training on large corpora.
set -euo pipefail

# Begin configuration section.
cmd=
# End configuration section.

help_message="Usage: $0 [options] <ali-dir> <store-dir>
e.g.: $0 exp/tri3_ali exp/tri3_pdfs
Reads ali.*.gz and final.mdl; each job does one of the files. Train with <store-dir> as the targets.
  --cmd <cmd>                      # how to run jobs: run.pl, queue.pl ... (this machine)"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 2 ] || usage
source=$1 store=$2

use_programs
needs "$source/final.mdl" "$source/ali.1.gz"
nj=1
while [ -f "$source/ali.$((nj + 1)).gz" ]; do nj=$((nj + 1)); done

mkdir -p "$store/log"
copy-transition-model --print-args=false "$source/final.mdl" "$store/final.mdl"
if [ -f "$source/tree" ]; then cp "$source/tree" "$store"; fi
run_jobs JOB=1:"$nj" "$store/log/store.JOB.log" \
  nnet-pytorch-store-pdfs --job=JOB "$source/final.mdl" "ark:gunzip -c $(quoted "$source")/ali.JOB.gz |" "$store"
nnet-pytorch-finish-store "$store" "$nj"
