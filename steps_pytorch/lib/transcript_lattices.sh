# shellcheck shell=bash
# Sourced after gmm.sh by align_lats.sh and align_fmllr_lats.sh, once features, lang and dir are set.

graphs_with_transitions() { # fsts.JOB.gz
  local transcripts
  transcripts=$(gmm_transcripts "$lang")
  # The graphs hold the transition probabilities, as the search for lattices cannot add them.
  # shellcheck disable=SC2086
  run_jobs JOB=1:"$nj" "$dir/log/compile_graphs.JOB.log" \
    compile-train-graphs --read-disambig-syms="$lang/phones/disambig.int" $scale_opts "$dir/tree" "$dir/final.mdl" \
    "$lang/L.fst" "$transcripts" "ark:|gzip -c >$(quoted "$dir")/fsts.JOB.gz"
}

lattices_of_graphs() { # lat.JOB.gz
  local model
  model=$(gmm_boosted "$dir/final.mdl" "$lang")
  # --word-determinize=false keeps the alternatives of words; with the beam of the search nothing more is pruned.
  # shellcheck disable=SC2086
  run_jobs JOB=1:"$nj" "$dir/log/generate_lattices.JOB.log" \
    gmm-latgen-faster --max-active="$max_active" --acoustic-scale="$acoustic_scale" --beam="$final_beam" \
    --lattice-beam="$final_beam" --allow-partial=false --word-determinize=false "${front_end[@]}" "$model" \
    "ark:gunzip -c $(quoted "$dir")/fsts.JOB.gz|" "$feats" "ark:|gzip -c >$(quoted "$dir")/lat.JOB.gz"
}

alignments_of_lattices() { # ali.JOB.gz
  run_jobs JOB=1:"$nj" "$dir/log/generate_alignments.JOB.log" \
    lattice-best-path --acoustic-scale="$acoustic_scale" "ark:gunzip -c $(quoted "$dir")/lat.JOB.gz |" ark:/dev/null \
    "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
}

lattice_report() {
  gmm_failed 'failed for' "utterances have no training graph" "$dir"/log/compile_graphs.*.log
  gmm_failed 'failed for' "utterances have no lattice" "$dir"/log/generate_lattices.*.log
  echo "$0: done generating lattices from training transcripts."
}
