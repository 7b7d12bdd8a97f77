#!/usr/bin/env bash
# What makes energies of unlabeled speech work? A study on the spoken digits, as run_semisup.sh, with one speaker held out:
#   ablation    one setting after the other is changed, on one seed: the buffer, steps, noise and weight of the sampler,
#               warm-up and more; each is judged by the words of the held-out training speaker
#   chosen      what he decides for, on all seeds, beside as many updates without energies; both also joined to self-training
#   report      words of known and of test speakers, with the word insertion penalty that he decides for
# All go on from supervised systems: each update is of a minibatch of the labeled part and of one of the unlabeled part.
# Nothing is chosen by others than him. Stopped at any time and started again, it goes on where it was.
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
share=0.133        # of the other training speakers' utterances that is labeled
known_share=0      # of their others that is to be recognized only; 0: the unlabeled part is
heard_share=0      # of what the held-out and the test speakers say that is in the unlabeled part, and not to be recognized
network=conf/network_energies.xconfig
num_epochs=8       # of the supervised systems
gmm_opts=          # as of run.sh
semisup_opts=      # more options of run_semisup.sh
minibatches=80     # of each data set in an epoch; one of each makes an update
minibatch_size=8   # chunks
penalties=0.0,0.5,1.0,2.0,3.0,4.0,6.0,8.0,10.0,12.0  # on word insertion, that the held-out speaker decides among
unlabeled="chunk-width=70"       # other than for the labeled part
learning_rates="0.0005 0.00005"  # at first, and at last
sampling="--sampler=adam --step-size=0.1 --noise=0.01 --min-steps=4 --max-steps=4 --init=data --reinit-probability=1 --buffer-size=32"
stays="--init=noise --init-value=1.5 --reinit-probability=0.05 --buffer-size=256"  # samples that stay in a buffer
theirs="$stays --step-size=1 --replay-correction=1 --noise=0.001 --min-steps=1 --max-steps=10 --energy-l2=1"  # of nnet_pytorch
tried=             # settings of the ablation, by name; empty: all
chosen=            # a setting, by name; empty: the one that the held-out speaker decides for
# End configuration section.

help_message="Usage: $0 [--corpus <dir>] [--stage <n>] [--last-stage <n>] [--seeds <list>] [--exp <dir>] [--tried <settings>] ...
Stages: 0 data, 1 run_semisup.sh with them, 2 ablation, 3 what was chosen, on all seeds, 4 the same joined to self-training,
5 RESULTS_energies.md, of what there is. The other options are at the top of this script."
. utils/parse_options.sh
[ $# -eq 0 ] || { printf '%s\n' "$help_message" >&2; exit 1; }

PATH="$(nnet-pytorch-path --print-args=false):$PATH"
export OMP_NUM_THREADS=1 network
lists=$exp/lists all=$exp/all semisup=$exp/semisup
cmvn_opts="--norm-means=true --norm-vars=true"
fixed="--min-lmwt 10 --max-lmwt 10 --word-ins-penalty"
fail() { echo "$0: $1" >&2; exit 1; }
due() { [ "$stage" -le "$1" ] && [ "$1" -le "$last_stage" ]; }
stage() { echo "== Energies, stage $1: $2 ($(date +%T))"; }

# Settings: a name, the weight of energies (0: none), epochs, and options that count instead of those in $sampling.
# "labeled" knows no other recordings than the labeled ones; "natural" is by natural gradient, others by Adam.
settings() {
  cat << END
adam_5        0     5
base          0.1   5
weight_0.02   0.02  5
weight_0.05   0.05  5
weight_0.5    0.5   5
weight_2      2     5
labeled       0.1   5
steps_1       0.1   5 --min-steps=1 --max-steps=1
steps_10      0.1   5 --min-steps=10 --max-steps=10
noise_0       0.1   5 --noise=0
noise_0.1     0.1   5 --noise=0.1
warmup        0.1   5 --ebm-warmup=200
joint         0.1   5 --joint=true
l2            0.1   5 --energy-l2=1
buffer_data   0.1   5 --reinit-probability=0.05 --buffer-size=256
buffer_noise  0.1   5 $stays
buffer_plain  0.1   5 $stays --reinit-probability=0
theirs        0.1   5 $theirs
adam_3        0     3
theirs_3      0.1   3 $theirs
adam_10       0     10
longer        0.1   10
natural_5     0     5
natural       0.1   5
END
}

# The setting without energies that one is to be compared with.
control_of() {
  case $1 in
    longer) echo adam_10 ;;
    theirs_3) echo adam_3 ;;
    natural) echo natural_5 ;;
    *) echo adam_5 ;;
  esac
}

base_of() { echo "${base_seed:-$1}"; }

# train_on <setting> <seed> <dir> [<file of more labeled data sets>]
train_on() {
  local name weight epochs options seed=$2 dir=$3 more=${4:-/dev/null} objective=lfmmi opts den sets heard_of first last optimizer
  [ ! -f "$dir/final.mdl" ] || return 0
  read -r name weight epochs options < <(settings | grep "^$1 ") || fail "there is no setting $1"
  den=$semisup/den_$(base_of "$seed")
  opts="--den-fst=$den/den.fst"
  optimizer=(--optimizer adam --clip-norm 5)
  [[ $name != natural* ]] || optimizer=(--optimizer natural-gradient)
  mkdir -p "$dir"
  cp "$more" "$dir/more_data"
  if [ "$weight" != 0 ]; then
    objective=lfmmi-ebm opts+=" $sampling $options"
    heard_of="data=$semisup/data/unlabeled store=$semisup/store_unlabeled"
    [ "$name" != labeled ] || heard_of="data=$semisup/data/train_sp_hires store=$semisup/store"
    echo "name=unlabeled $heard_of targets=none weight=$weight $unlabeled" >> "$dir/more_data"
  fi
  sets=$((1 + $(wc -l < "$dir/more_data")))
  read -r first last <<< "$learning_rates"
  local/train_tdnnf.sh "$semisup/tree" "$den" --store "$semisup/store" --cmvn-opts "$cmvn_opts" \
    --chunk-width 140,100,70 --alignment-subsampling-factor 3 --minibatch-size "$minibatch_size" --srand "$seed" \
    "${optimizer[@]}" --initial-learning-rate "$first" --final-learning-rate "$last" --num-epochs "$epochs" \
    --mixing alternate --accumulate "$sets" --minibatches-per-epoch $((sets * minibatches)) \
    --init-model "$semisup/tdnnf_$(base_of "$seed")/final.mdl" --more-data "$dir/more_data" \
    --objective "$objective" --objective-opts "$opts" \
    "$semisup/data/train_sp_hires" "$semisup/supervision" "$dir"
}

decode() { steps_pytorch/decode.sh --nj "$nj" --acwt 1.0 --post-decode-acwt 10.0 "$@"; }
on_held_out() { # <dir>
  [ -s "$1/decode_held_out/scoring_kaldi/best_wer" ] ||
    decode --scoring-opts "$fixed $penalties" "$semisup/graph" "$exp/data/held_out_hires" "$1/decode_held_out"
}
on_all() { # <dir>; others with the penalty that was best for the held-out speaker
  local part
  on_held_out "$1"
  for part in test known; do
    [ -s "$1/decode_${part}_fixed/scoring_kaldi/best_wer" ] ||
      decode --scoring-opts "$fixed $(sed 's/.*_//' "$1/decode_held_out/scoring_kaldi/best_wer")" \
        "$semisup/graph" "$exp/data/${part}_hires" "$1/decode_${part}_fixed"
  done
}
run_semisup() { # <stage> <last stage>
  # shellcheck disable=SC2086
  ./run_semisup.sh --corpus "$exp/corpus" --nj "$nj" --seeds "${base_seed:-$seeds}" --all "$all" \
    --exp "$semisup" --labeled "$lists/labeled" --num-epochs "$num_epochs" --cmvn-opts "$cmvn_opts" --gmm-opts "$gmm_opts" --scoring-opts "$fixed 0.0" \
    $semisup_opts --stage "$1" --last-stage "$2"
}

without() { grep -vwFf "$1"; } # <file of utterances>
subset() { # <name of a list> <data-dir>
  rm -rf "$2"
  utils/subset_data_dir.sh --utt-list "$lists/$1" "$exp/data/whole" "$2"
}

if due 0; then
  stage 0 "who is labeled, who is heard, and who is recognized"
  : "${corpus:=${NNET_PYTORCH_SHARED:-$PWD/../../../shared}/corpus/fsdd}"
  rm -rf "$exp/data" "$lists"
  mkdir -p "$lists"
  for part in train test; do local/prepare_data.py "$corpus" "$exp/data/$part" "$part"; done
  utils/combine_data.sh "$exp/data/whole" "$exp/data"/{train,test}
  said_by() { awk -v speaker="$1" '$2 == speaker { print $1 }' "$exp/data/whole/utt2spk"; }

  said_by "$held_out" > "$lists/held_out_speaker"
  grep -q " $held_out\$" "$exp/data/train/utt2spk" || fail "$corpus has no training utterances of $held_out, who is to be held out"
  cut -d' ' -f1 "$exp/data/test/utt2spk" > "$lists/test_speakers"
  cut -d' ' -f1 "$exp/data/train/utt2spk" | without "$lists/held_out_speaker" > "$lists/known_speakers"
  local/choose.py "$share" < "$lists/known_speakers" > "$lists/labeled"
  without "$lists/labeled" < "$lists/known_speakers" > "$lists/unlabeled"
  local/choose.py "$known_share" < "$lists/unlabeled" > "$lists/known"
  for speaker in $held_out $(cut -d' ' -f1 "$exp/data/test/spk2utt"); do
    said_by "$speaker" | local/choose.py "$heard_share"
  done > "$lists/heard"
  without "$lists/known" < "$lists/known_speakers" | cat - "$lists/heard" > "$lists/train"
  [ -s "$lists/known" ] || cp "$lists/unlabeled" "$lists/known"
  without "$lists/heard" < "$lists/held_out_speaker" > "$lists/held_out"
  without "$lists/heard" < "$lists/test_speakers" > "$lists/test"

  for part in held_out test known; do
    subset "$part" "$exp/data/${part}_hires"
    steps_pytorch/make_feats.sh --nj "$nj" --mfcc-config conf/mfcc_hires.conf "$exp/data/${part}_hires"
    steps_pytorch/compute_cmvn_stats.sh "$exp/data/${part}_hires"
  done
  for part in train test; do subset "$part" "$exp/corpus/$part"; done
  ./run.sh --corpus "$exp/corpus" --nj "$nj" --exp "$all" --last-stage 1
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
  control=$(control_of "$chosen")
  stage 3 "$chosen was chosen: on all seeds, beside $control"
  echo "$chosen $control" > "$exp/chosen"
  for seed in $seeds; do
    on_all "$semisup/tdnnf_$(base_of "$seed")"
    for name in "$chosen" "$control"; do
      train_on "$name" "$seed" "$exp/${name}_$seed"
      on_all "$exp/${name}_$seed"
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
      on_all "$exp/taught_${name}_$seed"
    done
  done
fi

if due 5; then
  stage 5 RESULTS_energies.md
  read -r chosen control < "$exp/chosen"
  place_of() { # <setting> <seed>
    if [ "$1" = supervised ]; then echo "$semisup/tdnnf_$(base_of "$2")"; else echo "$exp/${1}_$2"; fi
  }
  # report <title> <part> <decode> <seeds> <setting> ...: of what there is
  report() {
    local title=$1 part=$2 decode=$3 seeds=$4 name seed dir systems=() against=()
    shift 4
    for name in "$@"; do
      for seed in $seeds; do
        dir=$(place_of "$name" "$seed")/$decode
        [ -s "$dir/scoring_kaldi/best_wer" ] || continue 2
        systems+=("${name}_$seed=$dir")
      done
      case $name in supervised | *"$control") against+=("$name") ;; esac
    done
    printf '\n## %s\n\n' "$title"
    local/results.py --against "$(IFS=,; echo "${against[*]}")" "$exp/data/${part}_hires/text" "${systems[@]}"
  }
  compared=(supervised "$control" "$chosen" "taught_$control" "taught_$chosen")
  mapfile -t ablated < <(settings | cut -d' ' -f1)
  {
    echo "$chosen was chosen."
    report "The held-out training speaker, $held_out" held_out decode_held_out "$ablation_seeds" supervised "${ablated[@]}"
    report "Known speakers" known decode_known_fixed "$seeds" "${compared[@]}"
    report "Test speakers" test decode_test_fixed "$seeds" "${compared[@]}"
  } > "$exp/RESULTS_energies.md"
  cat "$exp/RESULTS_energies.md"
fi
