# Sourced by the recipes of corpora that are laid out as LibriSpeech is, once their options are set: from recordings to word
# error rates, in the stages of egs/fsdd/run.sh. Where Kaldi's recipes have i-vectors and speaker-adapted GMMs, features are
# normalized by speaker, and the GMMs have deltas only.

PATH="$(nnet-pytorch-path --print-args=false):$PATH"
export OMP_NUM_THREADS=1
data=$exp/data lang=$exp/data/lang
stage() { echo "== Stage $1: $2 ($(date +%T))"; }
as_name() { echo "${1//[-\/]/_}"; } # dev-clean: dev_clean
shorter() { [ "$max_utterances" -eq 0 ] || echo "--max-utterances $max_utterances"; }

lm_url=https://www.openslr.org/resources/11
downloads() { [ "$stage" -gt -1 ] || { stage -1 "downloading $(wc -w <<< "${*:2}") files"; local/download.sh "$@"; }; }
if [ -z "$corpus" ]; then
  corpus=$exp/corpus
  # shellcheck disable=SC2086
  downloads "$corpus" $archives
fi
if [ -z "$lexicon" ]; then
  lexicon=$exp/lm/librispeech-lexicon.txt
  downloads "$exp/lm" $lm_url/librispeech-lexicon.txt
fi
if [ -z "$lm" ]; then
  lm=$exp/lm/3-gram.pruned.3e-7.arpa.gz # Kaldi's tgsmall
  downloads "$exp/lm" $lm_url/3-gram.pruned.3e-7.arpa.gz
fi

if [ "$stage" -le 0 ]; then
  stage 0 "data and lang"
  options=$(shorter)
  if $pipes; then options+=" --pipes"; fi
  rm -rf "$data/train"
  # shellcheck disable=SC2086
  local/prepare_data.py $options "$corpus" "$data/train" $train_parts
  for part in $test_parts; do
    name=$(as_name "$part")
    rm -rf "${data:?}/$name"
    # shellcheck disable=SC2086
    local/prepare_data.py $options "$corpus" "$data/$name" "$part"
    utils/validate_data_dir.sh --no-feats "$data/$name"
  done
  utils/validate_data_dir.sh --no-feats "$data/train"
  local/prepare_dict.py "$lexicon" "$data/dict"
  steps_pytorch/prepare_lang.sh "$data/dict" "<UNK>" "$data/lang_tmp" "$lang"
  steps_pytorch/format_lm.sh "$lang" "$lm" "$data/dict/lexicon.txt" "${lang}_test"
  steps_pytorch/prepare_chain_lang.sh "$lang" "${lang}_chain"
fi

# features <data-dir>: MFCC for the GMM, and in <data-dir>_hires those of the network
features() {
  rm -rf "$1_hires"
  utils/copy_data_dir.sh "$1" "$1_hires"
  steps_pytorch/make_feats.sh --nj "$nj" --mfcc-config conf/mfcc.conf "$1"
  steps_pytorch/make_feats.sh --nj "$nj" --mfcc-config conf/mfcc_hires.conf "$1_hires"
  for folder in "$1" "$1_hires"; do
    steps_pytorch/compute_cmvn_stats.sh "$folder"
    utils/fix_data_dir.sh "$folder"
  done
}

if [ "$stage" -le 1 ]; then
  stage 1 features
  for part in train $test_parts; do features "$data/$(as_name "$part")"; done
fi

if [ "$stage" -le 2 ]; then
  stage 2 "monophones of the shortest utterances, triphones of all"
  utils/subset_data_dir.sh --shortest "$data/train" "$mono_utterances" "$data/train_short"
  # shellcheck disable=SC2086
  steps_pytorch/train_gmm.sh --nj "$nj" --boost-silence 1.25 --totgauss "$mono_gauss" $gmm_opts \
    "$data/train_short" "$lang" "$exp/mono"
  steps_pytorch/align.sh --nj "$nj" --boost-silence 1.25 "$data/train" "$lang" "$exp/mono" "$exp/mono_ali"
  # shellcheck disable=SC2086
  steps_pytorch/train_gmm.sh --boost-silence 1.25 $gmm_opts $tri1 "$data/train" "$lang" "$exp/mono_ali" "$exp/tri1"
  # shellcheck disable=SC2086
  steps_pytorch/train_gmm.sh $gmm_opts $tri2 "$data/train" "$lang" "$exp/tri1" "$exp/tri2"
  steps_pytorch/mkgraph.sh "${lang}_test" "$exp/tri2" "$exp/tri2/graph"
  for part in $test_parts; do
    name=$(as_name "$part")
    steps_pytorch/decode_gmm.sh --nj "$nj" --scoring-opts "$scoring_opts" \
      "$exp/tri2/graph" "$data/$name" "$exp/tri2/decode_$name"
  done
fi

if [ "$stage" -le 3 ]; then
  stage 3 "training data at three speeds, their lattices"
  rm -rf "$data/train_sp"
  utils/perturb_data_dir_speed_3way.sh --write-audio true "$data/train" "$data/train_sp"
  features "$data/train_sp"
  steps_pytorch/align_lats.sh --nj "$nj" --generate-ali-from-lats true \
    "$data/train_sp" "$lang" "$exp/tri2" "$exp/tri2_sp_lats"
fi

if [ "$stage" -le 4 ]; then
  stage 4 "tree and graphs of the chain model"
  steps_pytorch/build_tree.sh --frame-subsampling-factor 3 --context-opts "--context-width=2 --central-position=1" \
    "$chain_leaves" "$data/train_sp" "${lang}_chain" "$exp/tri2_sp_lats" "$exp/tree"
  steps_pytorch/make_den_fst.sh "$exp/tree" "$exp/den"
  steps_pytorch/mkgraph.sh --self-loop-scale=1.0 "${lang}_test" "$exp/tree" "$exp/graph"
fi

if [ "$stage" -le 5 ]; then
  stage 5 "what training reads"
  steps_pytorch/make_memmap.sh --nj "$nj" --dtype float16 "$data/train_sp_hires" "$exp/store"
  steps_pytorch/make_supervisions.sh "$exp/tri2_sp_lats" "$exp/tree" "$exp/supervision"
fi

# train <options> <data-dir> <targets-dir> <dir>: what supervised and semi-supervised training have in common
train() {
  steps_pytorch/train.sh --store "$exp/store" --tree-dir "$exp/tree" \
    --normalization-fst "$exp/den/normalization.fst" \
    --cmvn-opts "--norm-means=true --norm-vars=true" --alignment-subsampling-factor 3 \
    --model-opts "--network=$exp/network.xconfig" --chunk-width "$chunk_width" --minibatch-size "$minibatch_size" \
    --use-gpu "$use_gpu" "$@"
}

if [ "$stage" -le 6 ]; then
  stage 6 training
  pdfs=$(tree-info --print-args=false "$exp/tree/tree" | sed -n 's/^num-pdfs //p')
  sed -e "s|IDCT|$exp/idct.mat|" -e "s|PDFS|$pdfs|" "$network" > "$exp/network.xconfig"
  for seed in $seeds; do
    train --objective-opts "--den-fst=$exp/den/den.fst" --num-epochs "$num_epochs" --srand "$seed" \
      --initial-learning-rate "$initial_learning_rate" --final-learning-rate "$final_learning_rate" \
      "$data/train_sp_hires" "$exp/supervision" "$exp/chain_$seed"
  done
fi

# decode <system> ...: lattices and scores of all test sets
decode() {
  for system in "$@"; do
    for part in $test_parts; do
      name=$(as_name "$part")
      steps_pytorch/decode.sh --nj "$nj" --acwt 1.0 --post-decode-acwt 10.0 --scoring-opts "$scoring_opts" \
        "$exp/graph" "$data/${name}_hires" "$exp/$system/decode_$name"
    done
  done
}

# results <system> ...: RESULTS.md of all test sets
results() {
  for part in $test_parts; do
    printf '## %s\n\n' "$part"
    # shellcheck disable=SC2046
    local/results.py "$data/$(as_name "$part")/text" $(printf "$exp/%s/decode_$(as_name "$part") " "$@")
    echo
  done > "$exp/RESULTS.md"
  cat "$exp/RESULTS.md"
}

if [ "$stage" -le 7 ]; then
  stage 7 "decoding and scores"
  # shellcheck disable=SC2046
  decode $(printf 'chain_%s ' $seeds)
fi
if [ "$stage" -le 8 ]; then
  stage 8 RESULTS.md
  # shellcheck disable=SC2046
  results tri2 $(printf 'chain_%s ' $seeds)
fi
