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

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 2 ] || usage
tree=$1 dir=$2

use_programs
needs "$tree/tree" "$tree/final.mdl" "$tree/ali.1.gz"
mkdir -p "$dir/log"

copy-transition-model --print-args=false "$tree/final.mdl" "$dir/0.trans_mdl" 2>"$dir/log/copy.log" ||
  fail "failed, see $dir/log/copy.log"
# shellcheck disable=SC2086
run_jobs "$dir/log/phone_lm.log" \
  ali-to-phones "$tree/final.mdl" "ark:gunzip -c $(quoted "$tree")/ali.*.gz |" ark:- \| \
  chain-est-phone-lm $lm_opts ark:- "$dir/phone_lm.fst"
run_jobs "$dir/log/make_den_fst.log" \
  chain-make-den-fst "$tree/tree" "$dir/0.trans_mdl" "$dir/phone_lm.fst" "$dir/den.fst" "$dir/normalization.fst"
