#!/usr/bin/env bash
# Trains monophone or triphone HMM-GMMs: arguments, options and files of Kaldi's steps/train_mono.sh and train_deltas.sh.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
stage=-4
num_iters=
max_iter_inc=
totgauss=1000
realign_iters=
initial_beam=6
beam=10
retry_beam=40
boost_silence=1.0
power=0.25
cluster_thresh=-1
scale_opts="--transition-scale=1.0 --acoustic-scale=0.1 --self-loop-scale=0.1"
cmvn_opts=
delta_opts=
context_opts=
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir> <dir>                                              (monophones)
       $0 [options] <num-leaves> <tot-gauss> <data-dir> <lang-dir> <ali-dir> <dir>   (triphones)
e.g.: $0 --nj 4 data/train data/lang exp/mono
      $0 2000 10000 data/train data/lang exp/mono_ali exp/tri1
<ali-dir> is a directory of alignments: of align.sh or Kaldi's align_si.sh, or that of the monophones themselves.
  --nj <n>                         # number of parallel jobs (4; triphones: those of <ali-dir>)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --stage <n>                      # -4 begins, -3 tree, -2 graphs, -1 first pass, 1, 2, ... go on with that iteration
  --num-iters <n>                  # iterations (40, triphones 35); no more Gaussians from --max-iter-inc (30, 25) on
  --totgauss <n>                   # Gaussians, monophones only (1000)
  --realign-iters <list>           # iterations that align anew
  --beam, --initial-beam, --retry-beam, --scale-opts   # of alignments
  --boost-silence <x>              # factor of silence likelihoods in alignment (1.0)
  --power <x>                      # a pdf's share of Gaussians grows with its count to this power (0.25)
  --cluster-thresh <x>, --context-opts <opts>  # of the tree; e.g. \"--context-width=5 --central-position=2\"
  --cmvn-opts <opts>, --delta-opts <opts>      # of the features; e.g. \"--norm-vars=true\""

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"
. "$steps/lib/gmm.sh"

leaves=
case $# in
  3) data=$1 lang=$2 dir=$3 alignments= ;;
  6) leaves=$1 totgauss=$2 data=$3 lang=$4 alignments=$5 dir=$6 ;;
  *) usage ;;
esac
gmm_programs

gmm_needs "$data"/{feats.scp,utt2spk,text} "$lang"/{L.fst,phones.txt,words.txt,topo,oov.int}
if [ -n "$alignments" ]; then
  gmm_needs "$alignments"/{final.mdl,ali.1.gz,num_jobs}
  if [ -f "$alignments/phones.txt" ]; then
    cmp -s "$lang/phones.txt" "$alignments/phones.txt" || fail "the phones of $lang and $alignments differ"
  fi
  ali_jobs=$(number_in "$alignments/num_jobs")
  nj=$ali_jobs
  : "${num_iters:=35}" "${max_iter_inc:=25}" "${realign_iters:=10 20 30}"
else
  : "${num_iters:=40}" "${max_iter_inc:=30}"
  : "${realign_iters:=1 2 3 4 5 6 7 8 9 10 12 14 16 18 20 23 26 29 32 35 38}"
fi

cmvn_opts=$(checked_options --cmvn-opts "$cmvn_opts")
delta_opts=$(checked_options --delta-opts "$delta_opts")
mkdir -p "$dir/log"
echo "$cmvn_opts" > "$dir/cmvn_opts"
if [ -n "$delta_opts" ]; then echo "$delta_opts" > "$dir/delta_opts"; fi
cp "$lang/phones.txt" "$dir"
nnet-pytorch-model-input record --print-args=false --cmvn-opts="$cmvn_opts" "$data" "$dir"
gmm_features "$data" "$cmvn_opts" "$delta_opts" "$dir"
echo "$nj" > "$dir/num_jobs"
transcripts=$(gmm_transcripts "$lang")
log=$dir/log

init_monophones() {
  local dim
  dim=$(gmm_dim)
  run_jobs JOB=1 "$log/init.JOB.log" \
    gmm-init-mono --shared-phones="$lang/phones/sets.int" --train-feats="$feats" --max-utterances=10 \
    "${front_end[@]}" "$lang/topo" "$dim" "$dir/0.mdl" "$dir/tree"
}

# shellcheck disable=SC2086
init_triphones() {
  local accumulated=() job independent
  independent=$(phones_in "$lang/phones/context_indep.csl")
  run_jobs JOB=1:"$nj" "$log/acc_tree.JOB.log" \
    acc-tree-stats $context_opts --ci-phones="$independent" "${front_end[@]}" \
    "$alignments/final.mdl" "$feats" "ark:gunzip -c $(quoted "$alignments")/ali.*.gz|" "$dir/JOB.treeacc"
  for job in $(seq "$nj"); do accumulated+=("$dir/$job.treeacc"); done
  run_jobs "$log/sum_tree_acc.log" sum-tree-stats "$dir/treeacc" "${accumulated[@]}"
  rm "${accumulated[@]}"
  "$steps/lib/tree.sh" --cmd "$cmd" --context-opts "$context_opts" --cluster-thresh "$cluster_thresh" \
    "$leaves" "$lang" "$dir"
  run_jobs "$log/mixup.log" gmm-mixup --mix-up="$leaves" "$dir/1.mdl" "$dir/1.occs" "$dir/1.mdl"
  rm "$dir/treeacc"
  run_jobs JOB=1:"$ali_jobs" "$log/convert.JOB.log" \
    convert-ali "$alignments/final.mdl" "$dir/1.mdl" "$dir/tree" "ark:gunzip -c $(quoted "$alignments")/ali.JOB.gz|" \
    "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
}

first=0
if [ -n "$alignments" ]; then first=1; fi
if [ "$stage" -le -3 ]; then
  rm -f "$dir"/ali.*.gz "$dir"/fsts.*.gz
  if [ -n "$alignments" ]; then
    echo "$0: building the tree"
    init_triphones
  else
    echo "$0: initializing monophones"
    init_monophones
  fi
fi

if [ "$stage" -le -2 ]; then
  echo "$0: compiling training graphs"
  run_jobs JOB=1:"$nj" "$log/compile_graphs.JOB.log" \
    compile-train-graphs --read-disambig-syms="$lang/phones/disambig.int" "$dir/tree" "$dir/$first.mdl" "$lang/L.fst" \
    "$transcripts" "ark:|gzip -c >$(quoted "$dir")/fsts.JOB.gz"
fi

accumulate() { # <iteration> <alignments>
  run_jobs JOB=1:"$nj" "$log/acc.$1.JOB.log" \
    gmm-acc-stats-ali "${front_end[@]}" "$dir/$1.mdl" "$feats" "$2" "$dir/$1.JOB.acc"
}

# shellcheck disable=SC2086
update() { # <iteration> <Gaussians> <further options>
  local accumulated=() job
  for job in $(seq "$nj"); do accumulated+=("$dir/$1.$job.acc"); done
  run_jobs "$log/update.$1.log" \
    gmm-est --write-occs="$dir/$(($1 + 1)).occs" --mix-up="$2" --power="$power" $3 \
    "$dir/$1.mdl" "${accumulated[@]}" "$dir/$(($1 + 1)).mdl"
  rm -f "${accumulated[@]}" "$dir/$1.mdl" "$dir/$1.occs"
}

gaussians=$leaves
# Triphones begin with the alignments of <ali-dir>, whose jobs may have been split otherwise.
current="ark:gunzip -c $(quoted "$dir")/ali.*.gz|"
if [ -z "$alignments" ]; then
  gaussians=$(tree-info --print-args=false "$dir/tree" | awk '/num-pdfs/ {print $NF}')
  if [ "$stage" -le -1 ]; then
    echo "$0: first pass, with equal alignments"
    run_jobs JOB=1:"$nj" "$log/align.0.JOB.log" \
      align-equal-compiled "ark:gunzip -c $(quoted "$dir")/fsts.JOB.gz|" "$feats" \
      "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
    accumulate 0 "ark:gunzip -c $(quoted "$dir")/ali.JOB.gz|"
    # Few frames suffice at first, else rare phones would never be estimated, and then never be aligned properly.
    update 0 "$gaussians" --min-gaussian-occupancy=3
  fi
fi

increment=$(((totgauss - gaussians) / max_iter_inc))
iteration=1
while [ "$iteration" -lt "$num_iters" ]; do
  if [ "$stage" -le "$iteration" ]; then
    if [[ " $realign_iters " == *" $iteration "* ]]; then
      echo "$0: pass $iteration, aligning"
      this_beam=$beam
      if [ -z "$alignments" ] && [ "$iteration" -eq 1 ]; then this_beam=$initial_beam; fi
      model=$(gmm_boosted "$dir/$iteration.mdl" "$lang")
      # shellcheck disable=SC2086
      run_jobs JOB=1:"$nj" "$log/align.$iteration.JOB.log" \
        gmm-align-compiled $scale_opts --beam="$this_beam" --retry-beam="$retry_beam" "${front_end[@]}" "$model" \
        "ark:gunzip -c $(quoted "$dir")/fsts.JOB.gz|" "$feats" "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
      current="ark:gunzip -c $(quoted "$dir")/ali.JOB.gz|"
      for job in $(seq $((nj + 1)) "${ali_jobs:-0}"); do rm -f "$dir/ali.$job.gz"; done
    else
      echo "$0: pass $iteration"
    fi
    accumulate "$iteration" "$current"
    update "$iteration" "$gaussians" ""
  fi
  if [ "$iteration" -le "$max_iter_inc" ]; then gaussians=$((gaussians + increment)); fi
  iteration=$((iteration + 1))
done

ln -sf "$iteration.mdl" "$dir/final.mdl"
ln -sf "$iteration.occs" "$dir/final.occs"

gmm-info --print-args=false "$dir/final.mdl" |
  awk '/of pdfs/ {p = $NF} /gaussians/ {g = $NF} END {print p " pdfs, " g " Gaussians"}' | prefixed "$dir: "
grep -aho 'avg like per frame = .*' "$log/update.$((iteration - 1)).log" | prefixed "$dir: "
last=${realign_iters##* }
gmm_failed 'failed for' "utterances have no training graph" "$log"/compile_graphs.*.log
if [ -f "$log/align.$last.1.log" ]; then
  gmm_failed 'errors on' "utterances were not aligned in pass $last" "$log/align.$last".*.log
fi
