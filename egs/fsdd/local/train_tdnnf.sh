#!/usr/bin/env bash
# Trains the digits' TDNN-F with LF-MMI.
#   local/train_tdnnf.sh <tree-dir> <den-dir> [<option of steps_pytorch/train.sh> ...] <data-dir> <targets-dir> <dir>
# The network is conf/network.xconfig, or the file that the variable network names, with as many outputs as the tree has
# pdfs. An option that is given counts instead of the same one here.
set -euo pipefail
[ $# -ge 5 ] || { sed -n '2,5s/^# *//p' "$0" >&2; exit 1; }
tree=$1 den=$2
shift 2
dir=${!#}
mkdir -p "$dir"
pdfs=$(tree-info --print-args=false "$tree/tree" | sed -n 's/^num-pdfs //p')
sed -e "s|IDCT|$dir/idct.mat|" -e "s|PDFS|$pdfs|" "${network:-conf/network.xconfig}" > "$dir/network.xconfig"
steps_pytorch/train.sh --tree-dir "$tree" --model-opts "--network=$(printf %q "$dir/network.xconfig")" \
  --objective-opts "--den-fst=$(printf %q "$den/den.fst")" --normalization-fst "$den/normalization.fst" \
  --minibatch-size 16 --average-last 5 \
  --initial-learning-rate 0.002 --final-learning-rate 0.0002 "$@"
