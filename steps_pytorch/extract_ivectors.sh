#!/usr/bin/env bash
# Online i-vectors of a data directory, by an extractor that Kaldi trained (steps/online/nnet2/extract_ivectors_online.sh).
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
num_gselect=5
min_post=0.025
ivector_period=10
posterior_scale=0.1
max_count=0
compress=true
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <extractor-dir> <ivector-dir>
e.g.: $0 --nj 4 data/train_hires exp/nnet3/extractor exp/nnet3/ivectors_train
Leaves ivector_online.scp and ivector_period; give <ivector-dir> to decode.sh, or the two files to training.
  --nj <n>                 # number of parallel jobs (4)
  --cmd <cmd>              # how to run them: run.pl, queue.pl ... (this machine)
  --ivector-period <n>     # frames from one i-vector to the next (10)
  --max-count <n>          # frames times posterior-scale above which statistics are scaled down; 0: never (0)
  --num-gselect, --min-post, --posterior-scale  # of nnet-pytorch-ivector-extract-online2
  --compress <true|false>  # store i-vectors compressed (true)"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 3 ] || usage
data=$1 extractor=$2 dir=$3

use_programs
needs "$data"/{feats.scp,utt2spk} "$extractor"/{final.ie,final.dubm,final.mat,global_cmvn.stats,splice_opts}

mkdir -p "$dir/log"
. "$steps/lib/ivector_config.sh"
ivector_config "$extractor" "$dir/conf" > "$dir/ivector_extractor.conf"
at_most "$data" speakers
"$utils/split_data.sh" "$data" "$nj"
tables=$(ark_scp "$dir/ivector_online.JOB")
run_jobs JOB=1:"$nj" "$dir/log/extract_ivectors.JOB.log" \
  ivector-extract-online2 --config="$dir/ivector_extractor.conf" \
    "ark:$data/split$nj/JOB/spk2utt" "scp:$data/split$nj/JOB/feats.scp" ark:- \| \
  copy-feats --compress="$compress" ark:- "$tables"
for n in $(seq "$nj"); do cat "$dir/ivector_online.$n.scp"; done > "$dir/ivector_online.scp"
echo "$ivector_period" > "$dir/ivector_period"
