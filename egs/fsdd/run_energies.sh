#!/usr/bin/env bash
# What makes energies of unlabeled speech work? A study on the spoken digits, as run_semisup.sh, with one speaker held out:
#   ablation    one setting after the other is changed, on one seed: the buffer, steps, noise and weight of the sampler,
#               warm-up and more; each is judged by the words of the held-out training speaker
#   chosen      what he decides for, on all seeds, beside the same training without energies; also after self-training
#   report      words of the test speakers, with the word insertion penalty that he decides for, too
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
base_seed=         # start from the systems of this seed alone: seeds are then of what comes after; empty: each from its own
exp=exp/energies
held_out=nicolas   # the training speaker that settings are chosen on
share=0.133        # of the other speakers' utterances that is labeled
network=conf/network_small.xconfig
num_epochs=8       # of the supervised system
gmm_opts=          # as of run.sh
semisup_opts=      # more options of run_semisup.sh
unlabeled="repeat=0.04 chunk-width=70 minibatch-size=8"  # of energy-based training: in an epoch the labeled part once
decoded_share=0.1  # after self-training, an epoch has so much of what it learned from, too
learning_rate=0.0001
sampling="--sampler=adam --step-size=0.1 --noise=0.01 --min-steps=4 --max-steps=4 --init=data --reinit-probability=1 --buffer-size=32"
tried=             # settings of the ablation, by name; empty: all
# End configuration section.

help_message="Usage: $0 [--corpus <dir>] [--stage <n>] [--last-stage <n>] [--seeds <list>] [--exp <dir>] [--tried <settings>] ...
Stages: 0 data, 1 run_semisup.sh without the held-out speaker, 2 ablation, 3 what was chosen, on all seeds, 4 self-training
and the same after it, 5 RESULTS_energies.md, of what there is. The other options are at the top of this script."
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
adam_4        0     4
base          0.02  4
weight_0.005  0.005 4
weight_0.05   0.05  4
weight_0.1    0.1   4
weight_0.3    0.3   4
steps_1       0.02  4 --min-steps=1 --max-steps=1
steps_12      0.02  4 --min-steps=12 --max-steps=12
noise_0       0.02  4 --noise=0
noise_0.1     0.02  4 --noise=0.1
buffer_data   0.02  4 --reinit-probability=0.1 --buffer-size=256
buffer_noise  0.02  4 --reinit-probability=0.1 --buffer-size=256 --init=noise
warmup        0.02  4 --ebm-warmup=44
joint         0.02  4 --joint=true
adam_8        0     8
longer        0.02  8
END
}

base_of() { echo "${base_seed:-$1}"; }

# train_on <setting> <seed> <model to start from> <dir> [<file of more labeled data sets>]
train_on() {
  local name weight epochs options seed=$2 init=$3 dir=$4 more=${5:-/dev/null} objective=lfmmi opts den
  [ ! -f "$dir/final.mdl" ] || return 0
  read -r name weight epochs options < <(settings | grep "^$1 ")
  den=$semisup/den_$(base_of "$seed")
  opts="--den-fst=$den/den.fst"
  mkdir -p "$dir"
  sed "s/ repeat=[^ ]*/ repeat=$decoded_share/" "$more" > "$dir/more_data"
  if [ "$weight" != 0 ]; then
    objective=lfmmi-ebm opts+=" $sampling $options"
    echo "name=unlabeled data=$semisup/data/unlabeled targets=none store=$semisup/store_unlabeled weight=$weight $unlabeled" \
      >> "$dir/more_data"
  fi
  local/train_tdnnf.sh "$semisup/tree" "$den" --store "$semisup/store" --cmvn-opts "$cmvn_opts" \
    --chunk-width 140,100,70 --alignment-subsampling-factor 3 --optimizer adam --clip-norm 5 --srand "$seed" \
    --initial-learning-rate "$learning_rate" --final-learning-rate "$learning_rate" --num-epochs "$epochs" \
    --init-model "$init" --more-data "$dir/more_data" --objective "$objective" --objective-opts "$opts" \
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
      train_on "$name" "$seed" "$semisup/tdnnf_$(base_of "$seed")/final.mdl" "$exp/${name}_$seed"
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
  chosen=$(choose)
  control=adam_$(settings | awk -v name="$chosen" '$1 == name { print $3 }')
  stage 3 "$chosen was chosen: on all seeds, beside $control"
  echo "$chosen $control" > "$exp/chosen"
  for seed in $seeds; do
    base=$semisup/tdnnf_$(base_of "$seed")
    on_test "$base"
    for name in "$chosen" "$control"; do
      train_on "$name" "$seed" "$base/final.mdl" "$exp/${name}_$seed"
      on_test "$exp/${name}_$seed"
    done
  done
fi

if due 4; then
  stage 4 "self-training, and the same after it"
  run_semisup 5 5
  read -r chosen control < "$exp/chosen"
  for seed in $seeds; do
    taught=$semisup/self_training_$(base_of "$seed")
    on_test "$taught"
    for name in "$chosen" "$control"; do
      train_on "$name" "$seed" "$taught/final.mdl" "$exp/taught_${name}_$seed" "$taught/decoded.list"
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
  for name in supervised "$control" "$chosen" self_training "taught_$control" "taught_$chosen"; do
    for seed in $seeds; do
      case $name in
        supervised) dir=$semisup/tdnnf_$(base_of "$seed") ;;
        self_training) dir=$semisup/self_training_$(base_of "$seed") ;;
        *) dir=$exp/${name}_$seed ;;
      esac
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
