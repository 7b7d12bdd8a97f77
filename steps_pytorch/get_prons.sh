#!/usr/bin/env bash
# Lists and counts how words were said, and with silence where, in alignments or lattices: arguments, options and files of
# Kaldi's steps/get_prons.sh.
set -euo pipefail

# Begin configuration section.
cmd=
stage=1
lmwt=10
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir> <dir>
e.g.: $0 data/train data/lang exp/tri3
<dir> has ali.*.gz or, as directories of decoding have, lat.*.gz; the model is there or one level above it. The counts,
pron_counts_nowb.txt, sil_counts_nowb.txt and pron_bigram_counts_nowb.txt, are for utils/dict_dir_add_pronprobs.sh.
  --cmd <cmd>                      # how to run jobs: run.pl, queue.pl ... (this machine)
  --lmwt <x>                       # weight of the language model, by which best paths of lattices are found (10)
  --stage <n>                      # 2: count what is listed in prons.*.gz"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"

[ $# -eq 3 ] || usage
data=$1 lang=$2 dir=$3
gmm_needs "$data/text" "$lang"/{words.txt,phones.txt}
model=$dir/final.mdl
if [ ! -f "$model" ]; then model=$(dirname "$dir")/final.mdl; fi
needs "$model"
jobs=$(number_in "$dir/num_jobs")
if [ "$stage" -le 1 ]; then
  rm -f "$dir"/prons.*.gz
  if [ -f "$dir/ali.1.gz" ]; then
    listed=("--text=$data/text") from=ali
  else
    needs "$dir/lat.1.gz"
    listed=("--lmwt=$lmwt") from=lat
  fi
  run_jobs JOB=1:"$jobs" "$dir/log/get_prons.JOB.log" \
    nnet-pytorch-get-prons "${listed[@]}" "$lang" "$model" "ark:gunzip -c $(quoted "$dir")/$from.JOB.gz|" \
    "|gzip -c >$(quoted "$dir")/prons.JOB.gz"
  gmm_failed 'utterances;' "utterances have no words" "$dir"/log/get_prons.*.log
fi
nnet-pytorch-count-prons --print-args=false "$lang" "gunzip -c $(quoted "$dir")/prons.*.gz |" "$dir"
echo "$0: counts are in $dir/pron_counts*, sil_counts_nowb.txt and pron_bigram_counts_nowb.txt"
