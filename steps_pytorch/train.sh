#!/usr/bin/env bash
# Trains an acoustic model of data and targets, into a model directory that decode.sh takes.
set -euo pipefail

# Begin configuration section.
stage=0
nj=4
cmd=
store=
tree_dir=
lm_opts=
num_processes=1
objective=lfmmi
objective_opts=
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <targets-dir> <dir>
e.g.: $0 --tree-dir exp/chain_tree --cmvn-opts '--norm-means=true --norm-vars=true' \\
        --model-opts --network=network.xconfig data/train_hires exp/tri3_lats exp/chain/tdnnf
      $0 --objective cross-entropy --model resnet --optimizer adam data/train exp/tri3_ali exp/resnet
<targets-dir> has lat.*.gz (with alternatives), ali.*.gz, supervision.scp or (of prepare_e2e.sh, for flat start) num.*.scp
for LF-MMI, ali.*.gz or a store of pdfs (make_pdfs.sh) for cross-entropy, what make_denlats.sh wrote for smbr, mmi and mpfe.
Stopped at any time and started again, it goes on where it was.
  --stage <n>                      # 0 denominator graph, 1 supervisions, 2 memory-mapped features, 3 training (0)
  --nj <n>                         # jobs of stages 1 and 2 (4)
  --cmd <cmd>                      # how to run jobs: run.pl, queue.pl ... (this machine)
  --tree-dir <dir>                 # tree, final.mdl and ali.*.gz of the targets of LF-MMI (<targets-dir>)
  --store <dir>                    # memory-mapped features that exist; else they are made, in <dir>/store
  --lm-opts <options>              # of chain-est-phone-lm
  --num-processes <n>              # processes on this machine that train together, one for each GPU (1)
All other options go to nnet-pytorch-train-model, whose --help lists them; the most used ones:
  --model, --model-opts, --objective, --objective-opts, --optimizer, --optimizer-opts, --models true lists them all
  --num-epochs, --initial-learning-rate, --final-learning-rate, --minibatch-size, --chunk-width, --average-last
  --use-gpu <true|false>, --num-jobs-initial, --num-jobs-final, --srand"

own_options=(stage nj cmd store tree-dir lm-opts num-processes objective objective-opts)
. "$(dirname "${BASH_SOURCE[0]}")/lib/options.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

use_programs
case " ${others[*]} " in
  *" --models=true "*) exec nnet-pytorch-train-model --models=true ;;
esac

[ $# -eq 3 ] || usage
data=$1 targets=$2 dir=$3
: "${tree_dir:=$targets}"
needs "$data/utt2spk" "$tree_dir/final.mdl"
mkdir -p "$dir"

flat_start=false
if [[ $objective == lfmmi* ]]; then
  if [ -f "$targets/num.1.scp" ]; then
    flat_start=true
    if [[ $objective_opts != *--den-fst=* ]]; then cp "$targets/den.fst" "$targets/normalization.fst" "$dir"; fi
    if [[ " ${others[*]} " != *" --chunk-width="* ]]; then others+=(--chunk-width=-1); fi
  elif [[ $objective_opts != *--den-fst=* ]] && [ "$stage" -le 0 ]; then
    "$steps/make_den_fst.sh" --cmd "$cmd" ${lm_opts:+--lm-opts "$lm_opts"} "$tree_dir" "$dir"
  fi
  if ! $flat_start && [ ! -f "$targets/supervision.scp" ]; then
    if [ "$stage" -le 1 ]; then
      "$steps/make_supervisions.sh" --cmd "$cmd" "$targets" "$tree_dir" "$dir/supervision"
    fi
    targets=$dir/supervision
  fi
fi

if [ -z "$store" ] && ! [[ " ${others[*]} " =~ " --"(mfcc|fbank|waveform)"-config=" ]]; then
  store=$dir/store
  if [ "$stage" -le 2 ]; then
    "$steps/make_memmap.sh" --nj "$nj" --cmd "$cmd" "$data" "$store"
  fi
fi

if [ "$stage" -le 3 ]; then
  program=(nnet-pytorch-train-model)
  if [ "$num_processes" -gt 1 ]; then
    program=(torchrun --standalone --nproc-per-node="$num_processes" --no-python nnet-pytorch-train-model)
  fi
  "${program[@]}" --cmd="$cmd" --store="$store" --tree-dir="$tree_dir" --objective="$objective" \
    --objective-opts="$objective_opts" "${others[@]}" "$data" "$targets" "$dir"
fi
