#!/usr/bin/env bash
# Scores lattices at every language-model weight and insertion penalty: arguments and files of Kaldi's steps/score_kaldi.sh.
set -euo pipefail

# Begin configuration section.
cmd=
stage=0
word_ins_penalty=0.0,0.5,1.0
min_lmwt=7
max_lmwt=17
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir|graph-dir> <decode-dir>
  --cmd <cmd>                      # how to run jobs: run.pl, queue.pl ... (this machine)
  --min-lmwt, --max-lmwt <n>       # language-model weights to try (7 to 17)
  --word-ins-penalty <x,y,...>     # word insertion penalties to try (0.0,0.5,1.0)
Writes <decode-dir>/wer_<lmwt>_<penalty> and <decode-dir>/scoring_kaldi/best_wer."

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 3 ] || usage
data=$1 graph=$2 dir=$3
symbols=$graph/words.txt
for file in "$symbols" "$dir/lat.1.gz" "$data/text"; do
  needs "$file"
  [ -s "$file" ] || fail "$file is empty"
done
use_programs

filter() { # the recipe's own filter of reference or hypothesis text, if it has one
  for name in "$@"; do
    if [ -x "local/$name" ]; then echo "local/$name"; return; fi
  done
  echo cat
}
reference_filter=$(filter wer_ref_filter wer_output_filter)
hypothesis_filter=$(filter wer_hyp_filter wer_output_filter)

scoring=$dir/scoring_kaldi
mkdir -p "$scoring"
"$reference_filter" < "$data/text" > "$scoring/test_filt.txt"

if [ "$stage" -le 0 ]; then
  for penalty in ${word_ins_penalty//,/ }; do
    texts=$scoring/penalty_$penalty
    mkdir -p "$texts/log"
    run_jobs LMWT="$min_lmwt:$max_lmwt" "$texts/log/best_path.LMWT.log" \
      lattice-scale --inv-acoustic-scale=LMWT "ark:gunzip -c $(quoted "$dir")/lat.*.gz|" ark:- \| \
      lattice-add-penalty --word-ins-penalty="$penalty" ark:- ark:- \| \
      lattice-best-path --word-symbol-table="$symbols" ark:- ark,t:- \| \
      "$utils/int2sym.py" -f 2- "$symbols" \| \
      "$hypothesis_filter" '>' "$texts/LMWT.txt"
    run_jobs LMWT="$min_lmwt:$max_lmwt" "$texts/log/score.LMWT.log" \
      cat "$texts/LMWT.txt" \| \
      compute-wer --text --mode=present "ark:$scoring/test_filt.txt" ark,p:- '>' "$dir/wer_LMWT_$penalty" '2>&1'
  done
fi

for penalty in ${word_ins_penalty//,/ }; do
  for lmwt in $(seq "$min_lmwt" "$max_lmwt"); do
    grep -aH WER "$dir/wer_${lmwt}_$penalty"
  done
done | "$utils/best_wer.py" > "$scoring/best_wer"
cat "$scoring/best_wer"
