#!/usr/bin/env bash
# Makes the denominator graph of LF-MMI: a phone language model of alignments, over the pdfs of a tree.
set -euo pipefail

# Begin configuration section.
cmd=
lm_opts=--num-extra-lm-states=2000
# End configuration section.

help_message="Usage: $0 [options] <tree-dir> <dir>
e.g.: $0 exp/chain/tree exp/chain/den
Reads tree, final.mdl and ali.*.gz of <tree-dir>; writes den.fst, normalization.fst, phone_lm.fst and 0.trans_mdl.
  --cmd <cmd>                      # how to run jobs: run.pl, queue.pl ... (this machine)
  --lm-opts <options>              # of chain-est-phone-lm (--num-extra-lm-states=2000)"

steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
utils=$(cd "$steps/../utils" && pwd)
echo "$0 $*"
if [ -f ./path.sh ]; then . ./path.sh; fi
. "$utils/parse_options.sh"

if [ $# -ne 2 ]; then
  printf '%s\n' "$help_message" >&2
  exit 1
fi
tree=$1 dir=$2
fail() { echo "$0: $1" >&2; exit 1; }

command -v nnet-pytorch-path >/dev/null || fail "nnet-pytorch is not installed: no nnet-pytorch-path on the PATH"
PATH="$(nnet-pytorch-path --print-args=false):$PATH"
: "${cmd:=$utils/run.py}"
for file in "$tree/tree" "$tree/final.mdl" "$tree/ali.1.gz"; do
  [ -f "$file" ] || fail "no such file $file"
done
mkdir -p "$dir/log"

copy-transition-model --print-args=false "$tree/final.mdl" "$dir/0.trans_mdl" 2>"$dir/log/copy.log" ||
  fail "failed, see $dir/log/copy.log"
# shellcheck disable=SC2086
$cmd "$dir/log/phone_lm.log" \
  gunzip -c "$tree/ali.*.gz" \| ali-to-phones "$tree/final.mdl" ark:- ark:- \| \
  chain-est-phone-lm $lm_opts ark:- "$dir/phone_lm.fst"
$cmd "$dir/log/make_den_fst.log" \
  chain-make-den-fst "$tree/tree" "$dir/0.trans_mdl" "$dir/phone_lm.fst" "$dir/den.fst" "$dir/normalization.fst"
