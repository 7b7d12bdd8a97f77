# Sourced after stages.sh: unlabeled recordings are trained on too. LF-MMI of the labeled data and, of unlabeled chunks, an
# energy: the negative log-probability of the denominator graph, with samples by Langevin dynamics. Training goes on from the
# first seed's model, with Adam.

if [ "$stage" -le 12 ]; then
  stage 12 "unlabeled data"
  options="--no-text --exclude $data/train/utt2spk $(shorter)"
  if $pipes; then options+=" --pipes"; fi
  rm -rf "$data/unlabeled"
  # shellcheck disable=SC2086
  local/prepare_data.py $options "$corpus" "$data/unlabeled" $unlabeled_parts
  steps_pytorch/make_feats.sh --nj "$nj" --mfcc-config conf/mfcc_hires.conf "$data/unlabeled"
  steps_pytorch/compute_cmvn_stats.sh "$data/unlabeled"
  utils/fix_data_dir.sh "$data/unlabeled"
  training_ivectors "$data/unlabeled" "$exp/ivectors_unlabeled"
  steps_pytorch/make_memmap.sh --nj "$nj" --dtype float16 "$data/unlabeled" "$exp/store_unlabeled"
fi

if [ "$stage" -le 13 ]; then
  stage 13 "semi-supervised training"
  printf 'name=unlabeled data=%s targets=none store=%s ivectors=%s weight=%s\n' "$data/unlabeled" \
    "$exp/store_unlabeled" "$exp/ivectors_unlabeled" "$unlabeled_weight" > "$exp/unlabeled.list"
  train --optimizer adam --clip-norm 5 --objective lfmmi-ebm --objective-opts "--den-fst=$exp/den/den.fst $ebm_opts" \
    --more-data "$exp/unlabeled.list" --init-model "$exp/chain_${seeds%% *}/final.mdl" --num-epochs "$ebm_epochs" \
    --initial-learning-rate "$ebm_learning_rate" --final-learning-rate "$ebm_learning_rate" \
    "$data/train_sp_hires" "$exp/supervision" "$exp/semi_supervised"
fi

if [ "$stage" -le 14 ]; then
  stage 14 "decoding, scores, RESULTS.md"
  decode semi_supervised
  # shellcheck disable=SC2046
  results tri3 $(printf 'chain_%s ' $seeds) $rescored semi_supervised
fi
