# shellcheck shell=bash
# Sourced after gmm.sh by the steps that align transcripts with features adapted to speakers, in passes: alignments of
# features that are not adapted, transforms by these, and the step's own. They have set data, lang, source and dir.
#
#   fmllr_prepare                sets front_end, unadapted (the same), and models: the last and that of the first pass
#   fmllr_first_alignments <graphs> <options of gmm-align-compiled>    pre_ali.JOB.gz
#   fmllr_transforms             trans.JOB
#   fmllr_adapt                  adds these to front_end

fmllr_prepare() {
  whole_speakers=true
  needs "$source/tree"
  gmm_prepare "$data" "$lang" "$source" "$dir"
  local file
  rm -f "$dir"/final.{alimdl,occs}
  for file in tree final.mdl final.alimdl final.occs; do
    if [ -f "$source/$file" ]; then cp "$source/$file" "$dir"; fi
  done
  model=$dir/final.mdl first_model=$dir/final.mdl
  if [ -f "$dir/final.alimdl" ]; then first_model=$dir/final.alimdl; fi
}

fmllr_first_alignments() {
  local boosted
  boosted=$(gmm_boosted "$first_model" "$lang")
  # shellcheck disable=SC2086
  run_jobs JOB=1:"$nj" "$dir/log/align_pass1.JOB.log" \
    gmm-align-compiled $2 --beam="$beam" --retry-beam="$retry_beam" "${front_end[@]}" "$boosted" "$1" "$feats" \
    "ark:|gzip -c >$(quoted "$dir")/pre_ali.JOB.gz"
}

fmllr_transforms() {
  local silence
  silence=$(phones_in "$lang/phones/silence.csl")
  run_jobs JOB=1:"$nj" "$dir/log/fmllr.JOB.log" \
    gmm-est-fmllr --fmllr-update-type="$fmllr_update_type" --spk2utt="ark:$split/JOB/spk2utt" \
    --alignment-model="$first_model" --posteriors-of=alignments --silence-phones="$silence" --silence-weight=0 \
    "${front_end[@]}" "$model" "$feats" "ark:gunzip -c $(quoted "$dir")/pre_ali.JOB.gz|" "ark:$dir/trans.JOB"
}

fmllr_adapt() {
  front_end+=("--speaker-transforms=ark:$dir/trans.JOB")
}
