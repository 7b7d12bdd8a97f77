#!/usr/bin/env bash
# Gives lattices the costs of another language model and scores them: files of Kaldi's steps/lmrescore_const_arpa.sh and
# rnnlm/lmrescore_pruned.sh.
set -euo pipefail

# Begin configuration section.
cmd=
stage=0
weight=0.5
acwt=0.1
beam=8
max_ngram_order=4
normalize=false
scoring_opts=
skip_scoring=false
# End configuration section.

help_message="Usage: $0 [options] <old-lang-dir> <new-lang-dir|rnnlm-dir> <data-dir> <decode-dir> <new-decode-dir>
e.g.: $0 data/lang_test data/lang_test_fglarge data/test exp/chain/decode_test exp/chain_fglarge/decode_test
e.g.: $0 data/lang_test_fglarge exp/rnnlm data/test exp/chain_fglarge/decode_test exp/chain_rnnlm/decode_test
The old language model is G.carpa or else G.fst of the old lang directory; the new one is G.carpa of the other, which
build_const_arpa.sh makes, or the recurrent one in a directory of Kaldi's rnnlm/train_rnnlm.sh.
  --cmd <cmd>                      # how to run jobs: run.pl, queue.pl ... (this machine)
  --weight <x>                     # of a recurrent model, the rest being the old one's (0.5)
  --acwt <x>                       # acoustic scale with which paths are chosen (0.1, right for decode.sh's lattices)
  --beam <x>                       # of these paths (8);  --max-ngram-order <n> (4);  --normalize true
  --stage 1                        # only score;  --skip-scoring true: never
  --scoring-opts <string>          # options of score.sh"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 5 ] || usage
old=$1 new=$2 data=$3 source=$4 dir=$5
use_programs
needs "$old/words.txt" "$source/lat.1.gz"
nj=$(number_in "$source/num_jobs")
mkdir -p "$dir/log"
cp "$source/num_jobs" "$dir/num_jobs"
lats="ark:gunzip -c $(quoted "$source")/lat.JOB.gz |"
rescored="ark:|gzip -c >$(quoted "$dir")/lat.JOB.gz"

# rescore <command> <word> ...: runs it for all lattices
rescore() {
  rm -f "$dir"/lat.*.gz
  run_jobs JOB=1:"$nj" "$dir/log/rescore.JOB.log" "$@"
}

if [ "$stage" -le 0 ] && [ -f "$new/G.carpa" ]; then
  cmp -s "$old/words.txt" "$new/words.txt" || fail "$old and $new have different words"
  if [ -f "$old/G.carpa" ]; then
    subtract=(lattice-lmrescore-const-arpa --lm-scale=-1.0 "$lats" "$old/G.carpa" ark:-)
  else
    needs "$old/G.fst"
    words="nnet-pytorch-fstproject --project_output=true $(quoted "$old/G.fst") |" # options of OpenFst's change
    subtract=(lattice-lmrescore --lm-scale=-1.0 "$lats" "$words" ark:-)
  fi
  rescore "${subtract[@]}" '|' lattice-lmrescore-const-arpa --lm-scale=1.0 ark:- "$new/G.carpa" "$rescored"
elif [ "$stage" -le 0 ]; then
  [ -f "$new/final.raw" ] || fail "$new has neither G.carpa nor final.raw"
  needs "$new/special_symbol_opts.txt" "$new/config/words.txt"
  head -n -1 "$new/config/words.txt" | cmp -s - "$old/words.txt" || # the last one is <brk>
    fail "$old and $new have different words"
  model=("$old/G.fst")
  if [ -f "$old/G.carpa" ]; then model=(--use-const-arpa=true "$old/G.carpa"); fi
  needs "${model[-1]}"
  if [ -f "$new/word_embedding.final.mat" ]; then
    embedding=$new/word_embedding.final.mat
  else
    needs "$new/word_feats.txt" "$new/feat_embedding.final.mat"
    embedding="rnnlm-get-word-embedding $(quoted "$new/word_feats.txt") $(quoted "$new/feat_embedding.final.mat") - |"
  fi
  read -ra symbols <<< "$(options_in "$new/special_symbol_opts.txt")"
  rescore lattice-lmrescore-kaldi-rnnlm-pruned --lm-scale="$weight" --acoustic-scale="$acwt" \
    --lattice-compose-beam="$beam" --max-ngram-order="$max_ngram_order" --normalize-probs="$normalize" "${symbols[@]}" \
    "${model[@]}" "$embedding" "$new/final.raw" "$lats" "$rescored"
fi
if ! $skip_scoring; then
  score "$data" "$old" "$dir"
fi
