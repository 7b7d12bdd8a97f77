#!/usr/bin/env bash
# What makes energies of unlabeled speech work? A study on the spoken digits, as run_semisup.sh, with one speaker held out:
#   ablation    one setting after the other is changed, on one seed: the buffer, steps, noise and weight of the sampler,
#               warm-up and more; each is judged by the words of the held-out training speaker
#   chosen      what he decides for, on all seeds, beside as many updates without energies; both also joined to self-training
#   report      words of the test speakers, with the word insertion penalty that he decides for, too
# All go on from supervised systems: each update is of a minibatch of the labeled part and of one of the unlabeled part.
# Nothing is chosen by the test speakers. Stopped at any time and started again, it goes on where it was.
set -euo pipefail
cd "$(dirname "$0")"

# Begin configuration section.
stage=0
last_stage=5       # to stop after
corpus=            # as of run.sh
nj=1
seeds="0 1 2"
ablation_seeds=0
base_seed=         # all seeds go on from the supervised system of this seed; empty: each from its own
exp=exp/energies
held_out=jackson   # the training speaker that settings are chosen on
share=0.133        # of the other speakers' utterances that is labeled
network=conf/network_energies.xconfig
num_epochs=8       # of the supervised systems
gmm_opts=          # as of run.sh
semisup_opts=      # more options of run_semisup.sh
minibatches=80     # of each data set in an epoch; one of each makes an update
minibatch_size=8   # chunks
unlabeled="chunk-width=70"       # other than for the labeled part
learning_rates="0.0005 0.00005"  # at first, and at last
sampling="--sampler=adam --step-size=0.1 --noise=0.01 --min-steps=4 --max-steps=4 --init=data --reinit-probability=1 --buffer-size=32"
stays="--init=noise --init-value=1.5 --reinit-probability=0.05 --buffer-size=256"  # samples that stay in a buffer
tried=             # settings of the ablation, by name; empty: all
chosen=            # a setting, by name; empty: the one that the held-out speaker decides for
# End configuration section.

help_message="Usage: $0 [--corpus <dir>] [--stage <n>] [--last-stage <n>] [--seeds <list>] [--exp <dir>] [--tried <settings>] ...
Stages: 0 data, 1 run_semisup.sh without the held-out speaker, 2 ablation, 3 what was chosen, on all seeds, 4 the same
joined to self-training, 5 RESULTS_energies.md, of what there is. The other options are at the top of this script."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }

PATH="$(nnet-pytorch-path --print-args=false):$PATH"
export OMP_NUM_THREADS=1 network
all=$exp/all semisup=$exp/semisup held=$exp/data/held_out_hires
cmvn_opts="--norm-means=true --norm-vars=true"
fixed="--min-lmwt 10 --max-lmwt 10 --word-ins-penalty"
due() { [ "$stage" -le "$1" ] && [ "$1" -le "$last_stage" ]; }
stage() { echo "== Energies, stage $1: $2 ($(date +%T))"; }

# Settings: a name, the weight of energies (0: none), epochs, and options that count instead of those in $sampling.
settings() {
  cat << END
adam_5        0     5
base          0.1   5
weight_0.02   0.02  5
weight_0.5    0.5   5
weight_2      2     5
steps_1       0.1   5 --min-steps=1 --max-steps=1
steps_12      0.1   5 --min-steps=12 --max-steps=12
noise_0.1     0.1   5 --noise=0.1
warmup        0.1   5 --ebm-warmup=200
joint         0.1   5 --joint=true
l2            0.1   5 --energy-l2=1
buffer_data   0.1   5 --reinit-probability=0.05 --buffer-size=256
buffer_noise  0.1   5 $stays
theirs        0.1   5 $stays --step-size=1 --replay-correction=1 --noise=0.001 --min-steps=1 --max-steps=10 --energy-l2=1
adam_10       0     10
longer        0.1   10
END
}

base_of() { echo "${base_seed:-$1}"; }

# train_on <setting> <seed> <dir> [<file of more labeled data sets>]
train_on() {
  local name weight epochs options seed=$2 dir=$3 more=${4:-/dev/null} objective=lfmmi opts den sets first last
  [ ! -f "$dir/final.mdl" ] || return 0
  read -r name weight epochs options < <(settings | grep "^$1 ")
  den=$semisup/den_$(base_of "$seed")
  opts="--den-fst=$den/den.fst"
  mkdir -p "$dir"
  cp "$more" "$dir/more_data"
  if [ "$weight" != 0 ]; then
    objective=lfmmi-ebm opts+=" $sampling $options"
    echo "name=unlabeled data=$semisup/data/unlabeled targets=none store=$semisup/store_unlabeled weight=$weight $unlabeled" \
      >> "$dir/more_data"
  fi
  sets=$((1 + $(wc -l < "$dir/more_data")))
  read -r first last <<< "$learning_rates"
  local/train_tdnnf.sh "$semisup/tree" "$den" --store "$semisup/store" --cmvn-opts "$cmvn_opts" \
    --chunk-width 140,100,70 --alignment-subsampling-factor 3 --minibatch-size "$minibatch_size" --srand "$seed" \
    --optimizer adam --clip-norm 5 --initial-learning-rate "$first" --final-learning-rate "$last" --num-epochs "$epochs" \
    --mixing alternate --accumulate "$sets" --minibatches-per-epoch $((sets * minibatches)) \
    --init-model "$semisup/tdnnf_$(base_of "$seed")/final.mdl" --more-data "$dir/more_data" \
    --objective "$objective" --objective-opts "$opts" \
    "$semisup/data/train_sp_hires" "$semisup/supervision" "$dir"
}

decode() { steps_pytorch/decode.sh --nj "$nj" --acwt 1.0 --post-decode-acwt 10.0 "$@"; }
on_held_out() { # <dir>
  [ -s "$1/decode_held_out/scoring_kaldi/best_wer" ] ||
    decode --scoring-opts "$fixed 0.0,0.5,1.0,2.0" "$semisup/graph" "$held" "$1/decode_held_out"
}
on_test() { # <dir>; with the penalty that was best for the held-out speaker
  on_held_out "$1"
  [ -s "$1/decode_test_fixed/scoring_kaldi/best_wer" ] ||
    decode --scoring-opts "$fixed $(sed 's/.*_//' "$1/decode_held_out/scoring_kaldi/best_wer")" \
      "$semisup/graph" "$semisup/data/test_hires" "$1/decode_test_fixed"
}
run_semisup() { # <stage> <last stage>
  # shellcheck disable=SC2086
  ./run_semisup.sh --corpus "$corpus" --nj "$nj" --seeds "${base_seed:-$seeds}" --all "$all" --exp "$semisup" --share "$share" \
    --num-epochs "$num_epochs" --cmvn-opts "$cmvn_opts" --gmm-opts "$gmm_opts" --scoring-opts "$fixed 0.0" \
    $semisup_opts --stage "$1" --last-stage "$2"
}

if due 0; then
  stage 0 "data: of all training speakers but one, and of that one"
  whole=$exp/data/whole
  rm -rf "$exp/data"
  local/prepare_data.py "${corpus:-${NNET_PYTORCH_SHARED:-$PWD/../../../shared}/corpus/fsdd}" "$whole" train
  awk -v held="$held_out" '$2 != held { print $1 }' "$whole/utt2spk" > "$exp/others.list"
  utils/subset_data_dir.sh --spk-list <(echo "$held_out") "$whole" "$held"
  steps_pytorch/make_feats.sh --nj "$nj" --mfcc-config conf/mfcc_hires.conf "$held"
  steps_pytorch/compute_cmvn_stats.sh "$held"
  ./run.sh --corpus "$corpus" --nj "$nj" --exp "$all" --utterances "$exp/others.list" --last-stage 1
fi

if due 1; then
  stage 1 "the supervised systems, and what they recognize"
  run_semisup 1 3
fi

if due 2; then
  stage 2 ablation
  for seed in $ablation_seeds; do
    on_held_out "$semisup/tdnnf_$(base_of "$seed")"
    for name in ${tried:-$(settings | cut -d' ' -f1)}; do
      train_on "$name" "$seed" "$exp/${name}_$seed"
      on_held_out "$exp/${name}_$seed"
    done
  done
fi

# The setting with energies that makes the fewest errors on the held-out speaker; of equal ones, the first.
choose() {
  local name weight seed total
  settings | while read -r name weight _; do
    total=0
    for seed in $ablation_seeds; do
      [ "$weight" != 0 ] && [ -s "$exp/${name}_$seed/decode_held_out/scoring_kaldi/best_wer" ] || continue 2
      total=$((total + $(sed 's/^.*\[ \([0-9]*\) .*/\1/' "$exp/${name}_$seed/decode_held_out/scoring_kaldi/best_wer")))
    done
    echo "$total $name"
  done | sort -s -n -k 1,1 | head -n 1 | cut -d' ' -f2
}

if due 3; then
  : "${chosen:=$(choose)}"
  control=adam_$(settings | awk -v name="$chosen" '$1 == name { print $3 }')
  stage 3 "$chosen was chosen: on all seeds, beside $control"
  echo "$chosen $control" > "$exp/chosen"
  for seed in $seeds; do
    on_test "$semisup/tdnnf_$(base_of "$seed")"
    for name in "$chosen" "$control"; do
      train_on "$name" "$seed" "$exp/${name}_$seed"
      on_test "$exp/${name}_$seed"
    done
  done
fi

if due 4; then
  stage 4 "self-training, without energies and with them"
  run_semisup 5 5
  read -r chosen control < "$exp/chosen"
  for seed in $seeds; do
    for name in "$chosen" "$control"; do
      train_on "$name" "$seed" "$exp/taught_${name}_$seed" "$semisup/self_training_$(base_of "$seed")/decoded.list"
      on_test "$exp/taught_${name}_$seed"
    done
  done
fi

if due 5; then
  stage 5 RESULTS_energies.md
  read -r chosen control < "$exp/chosen"
  held_systems=() test_systems=() against=()
  for seed in $ablation_seeds; do held_systems+=("supervised_$seed=$semisup/tdnnf_$(base_of "$seed")/decode_held_out"); done
  for name in $(settings | cut -d' ' -f1); do
    for seed in $ablation_seeds; do
      [ ! -d "$exp/${name}_$seed/decode_held_out" ] || held_systems+=("$exp/${name}_$seed/decode_held_out")
    done
  done
  for name in supervised "$control" "$chosen" "taught_$control" "taught_$chosen"; do
    for seed in $seeds; do
      dir=$exp/${name}_$seed
      [ "$name" != supervised ] || dir=$semisup/tdnnf_$(base_of "$seed")
      [ -d "$dir/decode_test_fixed" ] || continue 2
      test_systems+=("${name}_$seed=$dir/decode_test_fixed")
    done
    [[ $name == *"$chosen" ]] || against+=("$name")
  done
  {
    printf '## The held-out training speaker, %s\n\n' "$held_out"
    local/results.py "$held/text" "${held_systems[@]}"
    printf '\n## The test speakers\n\n%s was chosen.\n\n' "$chosen"
    local/results.py --against "$(IFS=,; echo "${against[*]}")" "$semisup/data/test/text" "${test_systems[@]}"
  } > "$exp/RESULTS_energies.md"
  cat "$exp/RESULTS_energies.md"
fi
