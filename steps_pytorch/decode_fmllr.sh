#!/usr/bin/env bash
# Decodes a data directory with a GMM and features that fMLLR adapts to each speaker, into lattices, and scores them:
# arguments, options and files of Kaldi's steps/decode_fmllr.sh.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
stage=0
acwt=0.083333
first_beam=10.0
first_max_active=2000
beam=13.0
lattice_beam=6.0
max_active=7000
silence_weight=0.01
fmllr_update_type=full
alignment_model=
adapt_model=
final_model=
si_dir=
scoring_opts=
skip_scoring=false
# End configuration section.

help_message="Usage: $0 [options] <graph-dir> <data-dir> <decode-dir>
e.g.: $0 --nj 4 exp/tri3/graph data/test exp/tri3/decode_test
The model is <decode-dir>/../final.mdl, with what its features are made by beside it, and final.alimdl for features that are
not adapted yet, if it is there. <decode-dir>.si has what is decoded with those.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --si-dir <dir>                   # lattices of features that are not adapted, by a model with the same tree
  --alignment-model <mdl>          # for those, in place of final.alimdl
  --adapt-model <mdl>, --final-model <mdl>     # for transforms and search, and for the last scores (final.mdl)
  --first-beam <x>, --first-max-active <n>     # of the search without adaptation (10.0, 2000)
  --acwt <x>                       # acoustic scale (0.083333)
  --beam, --lattice-beam, --max-active
  --silence-weight <x>             # of silence, in the estimation of transforms (0.01)
  --fmllr-update-type <full|diag|offset|none>  # (full)
  --stage <n>                      # 0 search without adaptation, 1 transforms, 2 search, 3 transforms, 4 scores, 5 WER
  --skip-scoring true, --scoring-opts <string> # options of score.sh"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"

[ $# -eq 3 ] || usage
graph=$1 data=$2 dir=${3%/}
source=$(dirname "$dir")
whole_speakers=true
: "${adapt_model:=$source/final.mdl}" "${final_model:=$source/final.mdl}"
if [ -z "$alignment_model" ]; then
  alignment_model=$source/final.alimdl
  if [ ! -f "$alignment_model" ]; then alignment_model=$source/final.mdl; fi
fi
gmm_programs
needs "$graph/HCLG.fst" "$graph/words.txt" "$alignment_model" "$adapt_model" "$final_model"
silence=$(phones_in "$graph/phones/silence.csl")
mkdir -p "$dir/log"
check_input "$source" "$data"
gmm_features "$data" "$source" "$dir"
echo "$nj" > "$dir/num_jobs"
unadapted=("${front_end[@]}")

if [ -z "$si_dir" ]; then
  si_dir=$dir.si
  if [ "$stage" -le 0 ]; then
    "$steps/decode_gmm.sh" --nj "$nj" --cmd "$cmd" --acwt "$acwt" --beam "$first_beam" --max-active "$first_max_active" \
      --model "$alignment_model" --scoring-opts "$scoring_opts" --skip-scoring "$skip_scoring" "$graph" "$data" "$si_dir"
  fi
fi
needs "$si_dir/lat.1.gz"
jobs=$(number_in "$si_dir/num_jobs")
[ "$jobs" = "$nj" ] || fail "$si_dir has lattices of $jobs jobs, but these are $nj"

estimate_transforms() { # <log> <lattices> <transforms> [<option> ...]
  local name=$1 lattices=$2 out=$3
  shift 3
  run_jobs JOB=1:"$nj" "$dir/log/$name.JOB.log" \
    gmm-est-fmllr --fmllr-update-type="$fmllr_update_type" --spk2utt="ark:$split/JOB/spk2utt" \
    --posteriors-of=lattices --acoustic-scale="$acwt" --silence-phones="$silence" --silence-weight="$silence_weight" \
    "$@" "${front_end[@]}" "$adapt_model" "$feats" "ark:gunzip -c $(quoted "$lattices").JOB.gz|" "ark:$out.JOB"
}

if [ "$stage" -le 1 ]; then
  estimate_transforms fmllr_pass1 "$si_dir/lat" "$dir/pre_trans" --alignment-model="$alignment_model"
fi
front_end=("${unadapted[@]}" "--speaker-transforms=ark:$dir/pre_trans.JOB")
if [ "$stage" -le 2 ]; then
  # Every arc keeps its own acoustic score, as the final model gives it another one.
  run_jobs JOB=1:"$nj" "$dir/log/decode.JOB.log" \
    gmm-latgen-faster --max-active="$max_active" --beam="$beam" --lattice-beam="$lattice_beam" \
    --acoustic-scale="$acwt" --determinize-lattice=false --allow-partial=true \
    --word-symbol-table="$graph/words.txt" "${front_end[@]}" \
    "$adapt_model" "$graph/HCLG.fst" "$feats" "ark:|gzip -c >$(quoted "$dir")/lat.tmp.JOB.gz"
  gmm_failed 'failed for' "utterances were not decoded" "$dir"/log/decode.*.log
fi
if [ "$stage" -le 3 ]; then
  estimate_transforms fmllr_pass2 "$dir/lat.tmp" "$dir/trans" --determinize-beam=4 --compose=true
fi
front_end=("${unadapted[@]}" "--speaker-transforms=ark:$dir/trans.JOB")
if [ "$stage" -le 4 ]; then
  rm -f "$dir"/lat.[0-9]*.gz
  run_jobs JOB=1:"$nj" "$dir/log/acoustic_rescore.JOB.log" \
    gmm-rescore-lattice --determinize-beam="$lattice_beam" --acoustic-scale="$acwt" "${front_end[@]}" \
    "$final_model" "ark:gunzip -c $(quoted "$dir")/lat.tmp.JOB.gz|" "$feats" \
    "ark:|gzip -c >$(quoted "$dir")/lat.JOB.gz"
  rm "$dir"/lat.tmp.*.gz
fi
if ! $skip_scoring; then
  score "$data" "$graph" "$dir"
fi
rm -f "$dir"/pre_trans.*
