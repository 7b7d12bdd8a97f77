# shellcheck shell=bash
# Sourced by the steps that train GMMs, after gmm.sh, once data, lang and dir are set; those that begin with alignments
# have set alignments (a directory), leaves and totgauss, too.
#
#   training_alignments          checks the alignments; sets nj
#   training_directory           makes dir, which says what the features are: cmvn_opts, delta_opts
#   training_jobs                once features are set, for as many jobs as they are split for
#   grow_tree [<option> ...]     tree and 1.mdl of the features and alignments; further options of lib/tree.sh
#   flat_model                   the tree of the alignments, and 1.mdl with Gaussians that are all alike
#   convert_alignments           for that tree
#   compile_graphs <n>           of the transcripts, for <n>.mdl
#   accumulate <n> <alignments>  statistics of pass n: an rspecifier
#   update <n> <Gaussians> [<option> ...]    <n+1>.mdl; further options of gmm-est
#   training_passes <Gaussians>  from 1.mdl, with so many Gaussians at first, to $last.mdl
#   link_final <suffix> ...      final.<suffix> of $last.<suffix>
#   training_report              what came out, and what was left out
#
# A step may define adapt_features <n>, called in every pass between alignment and accumulation, which may change
# front_end. Alignments are those of the rspecifier $current.

transcripts= current= last=
ali_jobs=0
: "${first_beam:=}" "${tree_stats_opts:=}" "${phone_map:=}"
adapt_features() { :; }

training_alignments() {
  gmm_needs "$alignments"/{final.mdl,ali.1.gz,num_jobs}
  gmm_same_phones "$lang" "$alignments"
  ali_jobs=$(number_in "$alignments/num_jobs")
  nj=$ali_jobs
  # Whose jobs may have been split otherwise.
  current="ark:gunzip -c $(quoted "$dir")/ali.*.gz|"
}

training_directory() {
  gmm_needs "$data"/{feats.scp,utt2spk,text} "$lang"/{L.fst,phones.txt,words.txt,topo,oov.int}
  mkdir -p "$dir/log"
  rm -f "$dir"/{cmvn_opts,delta_opts,splice_opts,final.mat,final.alimdl}
  echo "$cmvn_opts" > "$dir/cmvn_opts"
  if [ -n "$delta_opts" ]; then echo "$delta_opts" > "$dir/delta_opts"; fi
  cp "$lang/phones.txt" "$dir"
  nnet-pytorch-model-input record --print-args=false --cmvn-opts="$cmvn_opts" "$data" "$dir"
}

training_jobs() {
  echo "$nj" > "$dir/num_jobs"
  transcripts=$(gmm_transcripts "$lang")
}

# shellcheck disable=SC2086
grow_tree() {
  local accumulated=() job independent map=()
  if [ -n "$phone_map" ]; then map=("--phone-map=$phone_map"); fi
  independent=$(phones_in "$lang/phones/context_indep.csl")
  run_jobs JOB=1:"$nj" "$dir/log/acc_tree.JOB.log" \
    acc-tree-stats $context_opts $tree_stats_opts "${map[@]}" --ci-phones="$independent" "${front_end[@]}" \
    "$alignments/final.mdl" "$feats" "ark:gunzip -c $(quoted "$alignments")/ali.*.gz|" "$dir/JOB.treeacc"
  for job in $(seq "$nj"); do accumulated+=("$dir/$job.treeacc"); done
  run_jobs "$dir/log/sum_tree_acc.log" sum-tree-stats "$dir/treeacc" "${accumulated[@]}"
  rm "${accumulated[@]}"
  "$steps/lib/tree.sh" --cmd "$cmd" --context-opts "$context_opts" --cluster-thresh "$cluster_thresh" "$@" \
    "$leaves" "$lang" "$dir"
  rm "$dir/treeacc"
}

flat_model() {
  needs "$alignments/tree"
  cp "$alignments/tree" "$dir"
  run_jobs "$dir/log/init_model.log" \
    gmm-init-model-flat --max-utterances=10 "${front_end[@]//JOB/1}" "$dir/tree" "$lang/topo" "$dir/1.mdl" \
    "${feats//JOB/1}"
}

convert_alignments() {
  local map=()
  if [ -n "$phone_map" ]; then map=("--phone-map=$phone_map"); fi
  rm -f "$dir"/ali.*.gz
  run_jobs JOB=1:"$ali_jobs" "$dir/log/convert.JOB.log" \
    convert-ali "${map[@]}" "$alignments/final.mdl" "$dir/1.mdl" "$dir/tree" \
    "ark:gunzip -c $(quoted "$alignments")/ali.JOB.gz|" "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
}

compile_graphs() {
  echo "$0: compiling training graphs"
  rm -f "$dir"/fsts.*.gz
  run_jobs JOB=1:"$nj" "$dir/log/compile_graphs.JOB.log" \
    compile-train-graphs --read-disambig-syms="$lang/phones/disambig.int" "$dir/tree" "$dir/$1.mdl" "$lang/L.fst" \
    "$transcripts" "ark:|gzip -c >$(quoted "$dir")/fsts.JOB.gz"
}

align_pass() { # <n> <beam>
  local model job
  model=$(gmm_boosted "$dir/$1.mdl" "$lang")
  # shellcheck disable=SC2086
  run_jobs JOB=1:"$nj" "$dir/log/align.$1.JOB.log" \
    gmm-align-compiled $scale_opts --beam="$2" --retry-beam="$retry_beam" --careful="$careful" \
    "${front_end[@]}" "$model" \
    "ark:gunzip -c $(quoted "$dir")/fsts.JOB.gz|" "$feats" "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
  current="ark:gunzip -c $(quoted "$dir")/ali.JOB.gz|"
  for job in $(seq $((nj + 1)) "$ali_jobs"); do rm -f "$dir/ali.$job.gz"; done
}

accumulate() {
  run_jobs JOB=1:"$nj" "$dir/log/acc.$1.JOB.log" \
    gmm-acc-stats-ali "${front_end[@]}" "$dir/$1.mdl" "$feats" "$2" "$dir/$1.JOB.acc"
}

update() {
  local number=$1 gaussians=$2 accumulated=() job
  shift 2
  for job in $(seq "$nj"); do accumulated+=("$dir/$number.$job.acc"); done
  run_jobs "$dir/log/update.$number.log" \
    gmm-est --write-occs="$dir/$((number + 1)).occs" --mix-up="$gaussians" --power="$power" "$@" \
    "$dir/$number.mdl" "${accumulated[@]}" "$dir/$((number + 1)).mdl"
  rm -f "${accumulated[@]}" "$dir/$number.mdl" "$dir/$number.occs"
}

training_passes() {
  local gaussians=$1 increment pass=1 this_beam
  increment=$(((totgauss - gaussians) / max_iter_inc))
  while [ "$pass" -lt "$num_iters" ]; do
    if [ "$stage" -le "$pass" ]; then
      echo "$0: pass $pass"
      if [[ " $realign_iters " == *" $pass "* ]]; then
        this_beam=$beam
        if [ "$pass" -eq 1 ]; then this_beam=${first_beam:-$beam}; fi
        align_pass "$pass" "$this_beam"
      fi
    fi
    adapt_features "$pass"
    if [ "$stage" -le "$pass" ]; then
      accumulate "$pass" "$current"
      update "$pass" "$gaussians"
    fi
    if [ "$pass" -le "$max_iter_inc" ]; then gaussians=$((gaussians + increment)); fi
    pass=$((pass + 1))
  done
  last=$pass
}

link_final() {
  local suffix
  for suffix in "$@"; do ln -sf "$last.$suffix" "$dir/final.$suffix"; done
}

training_report() {
  local aligned=${realign_iters##* }
  gmm-info --print-args=false "$dir/final.mdl" |
    awk '/of pdfs/ {p = $NF} /gaussians/ {g = $NF} END {print p " pdfs, " g " Gaussians"}' | prefixed "$dir: "
  grep -aho 'avg like per frame = .*' "$dir/log/update.$((last - 1)).log" | prefixed "$dir: "
  if [ -f "$dir/log/compile_graphs.1.log" ]; then
    gmm_failed 'failed for' "utterances have no training graph" "$dir"/log/compile_graphs.*.log
  fi
  if [ -f "$dir/log/align.$aligned.1.log" ]; then
    gmm_failed 'errors on' "utterances were not aligned in pass $aligned" "$dir/log/align.$aligned".*.log
  fi
}
