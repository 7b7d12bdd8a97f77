#!/usr/bin/env bash
# Tree, model and training graphs of a flat-start chain model, for which no GMM is needed: arguments, options and files of
# Kaldi's steps/nnet3/chain/e2e/prepare_e2e.sh.
set -euo pipefail

# Begin configuration section.
cmd=
nj=4
stage=0
shared_phones=true
treedir=
type=mono
ci_silence=false
scale_opts="--transition-scale=0.0 --self-loop-scale=0.0"
tie=false
min_biphone_count=100
min_monophone_count=20
num_extra_lm_states=2000
edge_silprob=0.8
between_silprob=0.2
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir> <dir>
e.g.: $0 --type biphone data/train data/lang_chain exp/chain/e2e_tree
Writes tree, 0.mdl and fst.*.scp as Kaldi's does, and then phone_lm.fst, den.fst and normalization.fst, which its
recipes make afterwards, and num.*.scp, the numerator graphs.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --type <mono|biphone>            # pdfs for phones, or for all pairs of phones (mono)
  --shared-phones <true|false>     # the phones of a set share pdfs (true)
  --ci-silence <true|false>        # silences do not depend on context (false)
  --tie <true|false>               # pairs, and phones, that are rare in the transcripts share pdfs (false)
  --min-biphone-count, --min-monophone-count <n>  # what rare is (100, 20)
  --treedir <dir>                  # take tree and final.mdl from there
  --num-extra-lm-states <n>        # of the phone language model (2000)
  --edge-silprob, --between-silprob <x>  # of silences in what it is estimated on (0.8, 0.2)
  --stage <n>                      # 0 tree, 1 training graphs, 2 phone language model, 3 numerators"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"

[ $# -eq 3 ] || usage
data=$1 lang=$2 dir=$3
gmm_programs
case $type in mono | biphone) ;; *) fail "--type must be mono or biphone, not $type" ;; esac
gmm_needs "$data/text" "$data/utt2spk" "$lang/topo" "$lang/L.fst" "$lang/phones/sets.int" "$lang/oov.int"
mkdir -p "$dir/log"
echo "$scale_opts" > "$dir/scale_opts"
cp "$lang/phones.txt" "$dir"
gmm_split "$data" "$dir"
echo "$nj" > "$dir/num_jobs"

if [ "$stage" -le 0 ]; then
  if [ -n "$treedir" ]; then
    cp "$treedir/final.mdl" "$dir/0.mdl"
    cp "$treedir/tree" "$dir"
  else
    options=()
    if $shared_phones; then options+=(--shared-phones="$lang/phones/sets.int"); fi
    if [ "$type" = biphone ] && $ci_silence; then
      independent=$(phones_in "$lang/phones/context_indep.csl")
      options+=(--ci-phones="$independent")
    fi
    if [ "$type" = biphone ] && $tie; then
      run_jobs "$dir/log/count_phones.log" \
        nnet-pytorch-text-to-phones --edge-silprob=0 --between-silprob=0 "$lang" "$data/text" ark:- \| \
        nnet-pytorch-count-phones --shared-phones="$shared_phones" "$lang" ark:- "$dir/phone-stats.txt"
      options+=(--phone-counts="$dir/phone-stats.txt" --min-biphone-count="$min_biphone_count"
        --min-monophone-count="$min_monophone_count")
    fi
    # The dimension of the features does not matter.
    run_jobs "$dir/log/init_${type}_mdl_tree.log" \
      gmm-init-"$type" "${options[@]}" "$lang/topo" 10 "$dir/0.mdl" "$dir/tree"
  fi
  copy-transition-model --print-args=false "$dir/0.mdl" "$dir/0.trans_mdl"
  ln -sf 0.mdl "$dir/final.mdl"
fi
if [ "$stage" -le 1 ]; then
  transcripts=$(gmm_transcripts "$lang")
  tables=$(ark_scp "$dir/fst.JOB")
  # shellcheck disable=SC2086
  run_jobs JOB=1:"$nj" "$dir/log/compile_graphs.JOB.log" \
    compile-train-graphs $scale_opts --read-disambig-syms="$lang/phones/disambig.int" "$dir/tree" "$dir/0.mdl" \
    "$lang/L.fst" "$transcripts" "$tables"
  gmm_failed 'failed for' "utterances have no training graph" "$dir"/log/compile_graphs.*.log
fi
if [ "$stage" -le 2 ]; then
  run_jobs "$dir/log/phone_lm.log" \
    nnet-pytorch-text-to-phones --edge-silprob="$edge_silprob" --between-silprob="$between_silprob" \
    "$lang" "$data/text" ark:- \| \
    chain-est-phone-lm --num-extra-lm-states="$num_extra_lm_states" ark:- "$dir/phone_lm.fst"
  run_jobs "$dir/log/make_den_fst.log" \
    chain-make-den-fst "$dir/tree" "$dir/0.trans_mdl" "$dir/phone_lm.fst" "$dir/den.fst" "$dir/normalization.fst"
fi
if [ "$stage" -le 3 ]; then
  tables=$(ark_scp "$dir/num.JOB")
  run_jobs JOB=1:"$nj" "$dir/log/make_num_fst.JOB.log" \
    chain-make-num-fst-e2e "$dir/0.trans_mdl" "$dir/normalization.fst" "scp:$dir/fst.JOB.scp" "$tables"
fi
tree-info --print-args=false "$dir/tree" | prefixed "$dir/tree: "
