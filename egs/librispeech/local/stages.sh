# Sourced by recipes, once their options are set: from recordings to word error rates, as Kaldi's mini_librispeech recipe
# goes there: monophones, triphones, LDA+MLLT, SAT, pronunciation and silence probabilities; speed and volume perturbation,
# i-vectors, LF-MMI.

PATH="$(nnet-pytorch-path --print-args=false):$PATH"
export OMP_NUM_THREADS=1
data=$exp/data lang=$exp/data/lang
stage() {
  [ -z "$last_stage" ] || [ "$1" -le "$last_stage" ] || exit 0
  echo "== Stage $1: $2 ($(date +%T))"
}
as_name() { echo "${1//[-\/]/_}"; } # dev-clean: dev_clean
shorter() { [ "$max_utterances" -eq 0 ] || echo "--max-utterances $max_utterances"; }

# make_lang <suffix>: lang<suffix>, and lang<suffix>_test with the language model, of the dictionary dict<suffix>
make_lang() {
  steps_pytorch/prepare_lang.sh "$data/dict$1" "$oov" "$data/lang_tmp$1" "$lang$1"
  steps_pytorch/format_lm.sh "$lang$1" "$lm" "$data/dict$1/lexicon.txt" "$lang$1_test"
}

. local/prepare.sh # stages -1 and 0 of this corpus: data/{train,<test parts>,dict_nosp,lang_nosp,lang_nosp_test}, $lm and $oov

# features <data-dir> <options of make_feats.sh>: with their statistics
features() {
  steps_pytorch/make_feats.sh --nj "$nj" "${@:2}" "$1"
  steps_pytorch/compute_cmvn_stats.sh "$1"
  utils/fix_data_dir.sh "$1"
}

# high_resolution <data-dir>: in <data-dir>_hires the features of the network; of training data at random volumes
high_resolution() {
  rm -rf "$1_hires"
  utils/copy_data_dir.sh "$1" "$1_hires"
  if [[ $1 == */train* ]]; then utils/data/perturb_data_dir_volume.sh "$1_hires"; fi
  features "$1_hires" --mfcc-config conf/mfcc_hires.conf
}

if [ "$stage" -le 1 ]; then
  stage 1 features
  for part in train $test_parts; do
    features "$data/$(as_name "$part")" --mfcc-config conf/mfcc.conf
  done
fi

if [ "$stage" -le 2 ]; then
  stage 2 "monophones of the shortest utterances, triphones of all"
  utils/subset_data_dir.sh --shortest "$data/train" "$mono_utterances" "$data/train_short"
  # shellcheck disable=SC2086
  steps_pytorch/train_mono.sh --nj "$nj" --boost-silence 1.25 --totgauss "$mono_gauss" $gmm_opts \
    "$data/train_short" "${lang}_nosp" "$exp/mono"
  steps_pytorch/align_si.sh --nj "$nj" --boost-silence 1.25 "$data/train" "${lang}_nosp" "$exp/mono" "$exp/mono_ali"
  # shellcheck disable=SC2086
  steps_pytorch/train_deltas.sh --boost-silence 1.25 $gmm_opts $tri1 \
    "$data/train" "${lang}_nosp" "$exp/mono_ali" "$exp/tri1"
fi

if [ "$stage" -le 3 ]; then
  stage 3 "LDA+MLLT, then speaker-adapted training"
  steps_pytorch/align_si.sh --nj "$nj" "$data/train" "${lang}_nosp" "$exp/tri1" "$exp/tri1_ali"
  # shellcheck disable=SC2086
  steps_pytorch/train_lda_mllt.sh --dim "$lda_dim" --splice-opts "--left-context=3 --right-context=3" $gmm_opts $tri2 \
    "$data/train" "${lang}_nosp" "$exp/tri1_ali" "$exp/tri2"
  steps_pytorch/align_si.sh --nj "$nj" "$data/train" "${lang}_nosp" "$exp/tri2" "$exp/tri2_ali"
  # shellcheck disable=SC2086
  steps_pytorch/train_sat.sh $gmm_opts $tri3 "$data/train" "${lang}_nosp" "$exp/tri2_ali" "$exp/tri3"
fi

if [ "$stage" -le 4 ]; then
  stage 4 "pronunciation and silence probabilities, scores of the GMM"
  steps_pytorch/get_prons.sh "$data/train" "${lang}_nosp" "$exp/tri3"
  utils/dict_dir_add_pronprobs.sh --max-normalize true "$data/dict_nosp" \
    "$exp/tri3"/{pron_counts_nowb,sil_counts_nowb,pron_bigram_counts_nowb}.txt "$data/dict"
  make_lang ""
  steps_pytorch/prepare_chain_lang.sh "$lang" "${lang}_chain"
  steps_pytorch/mkgraph.sh "${lang}_test" "$exp/tri3" "$exp/tri3/graph"
  for part in $test_parts; do
    name=$(as_name "$part")
    steps_pytorch/decode_fmllr.sh --nj "$nj" --scoring-opts "$scoring_opts" \
      "$exp/tri3/graph" "$data/$name" "$exp/tri3/decode_$name"
  done
fi

if [ "$stage" -le 5 ]; then
  stage 5 "training data at three speeds, its alignments and lattices"
  rm -rf "$data/train_sp"
  utils/perturb_data_dir_speed_3way.sh --write-audio true "$data/train" "$data/train_sp"
  features "$data/train_sp" --mfcc-config conf/mfcc.conf
  steps_pytorch/align_fmllr.sh --nj "$nj" "$data/train_sp" "$lang" "$exp/tri3" "$exp/tri3_ali_sp"
  steps_pytorch/align_fmllr_lats.sh --nj "$nj" "$data/train_sp" "$lang" "$exp/tri3" "$exp/tri3_lats_sp"
fi

# training_ivectors <data-dir> <ivector-dir>: two utterances as a speaker, for more different ones, that have seen less
training_ivectors() {
  utils/data/modify_speaker_info.sh --utts-per-spk-max 2 "$1" "$1_max2"
  steps_pytorch/extract_ivectors.sh --nj "$nj" "$1_max2" "$exp/extractor" "$2"
}

if [ "$stage" -le 6 ]; then
  stage 6 "features of the network, i-vectors"
  for part in train_sp $test_parts; do high_resolution "$data/$(as_name "$part")"; done
  some=$data/train_sp_hires
  if [ "$ivector_utterances" -gt 0 ]; then
    some=$data/train_ivectors
    utils/subset_data_dir.sh "$data/train_sp_hires" "$ivector_utterances" "$some"
  fi
  # shellcheck disable=SC2086
  steps_pytorch/train_ivector_extractor.sh --online-cmvn-iextractor true --ivector-dim "$ivector_dim" $ivector_opts \
    "$some" "$ivector_gauss" "$exp/extractor"
  training_ivectors "$data/train_sp_hires" "$exp/ivectors_train"
  for part in $test_parts; do
    name=$(as_name "$part")
    steps_pytorch/extract_ivectors.sh --nj "$nj" "$data/${name}_hires" "$exp/extractor" "$exp/ivectors_$name"
  done
fi

if [ "$stage" -le 7 ]; then
  stage 7 "tree and graphs of the chain model"
  steps_pytorch/build_tree.sh --frame-subsampling-factor 3 --context-opts "--context-width=2 --central-position=1" \
    "$chain_leaves" "$data/train_sp" "${lang}_chain" "$exp/tri3_ali_sp" "$exp/tree"
  steps_pytorch/make_den_fst.sh "$exp/tree" "$exp/den"
  steps_pytorch/mkgraph.sh --self-loop-scale=1.0 "${lang}_test" "$exp/tree" "$exp/graph"
fi

if [ "$stage" -le 8 ]; then
  stage 8 "what training reads"
  steps_pytorch/make_memmap.sh --nj "$nj" --dtype float16 "$data/train_sp_hires" "$exp/store"
  steps_pytorch/make_supervisions.sh "$exp/tri3_lats_sp" "$exp/tree" "$exp/supervision"
fi

# train <options> <data-dir> <targets-dir> <dir>: what supervised and semi-supervised training have in common
train() {
  steps_pytorch/train.sh --store "$exp/store" --tree-dir "$exp/tree" \
    --normalization-fst "$exp/den/normalization.fst" \
    --online-cmvn true --ivector-dir "$exp/ivectors_train" --alignment-subsampling-factor 3 \
    --model-opts "--network=$exp/network.xconfig" --chunk-width "$chunk_width" --minibatch-size "$minibatch_size" \
    --use-gpu "$use_gpu" "$@"
}

if [ "$stage" -le 9 ]; then
  stage 9 training
  pdfs=$(tree-info --print-args=false "$exp/tree/tree" | sed -n 's/^num-pdfs //p')
  sed -e "s|IDCT|$exp/idct.mat|" -e "s|PDFS|$pdfs|" -e "s|IVECTOR|$ivector_dim|" "$network" > "$exp/network.xconfig"
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
        --online-ivector-dir "$exp/ivectors_$name" "$exp/graph" "$data/${name}_hires" "$exp/$system/decode_$name"
    done
  done
}

# rescore <system>: of chain_0 chain_large_0, with the larger language model, and chain_rnnlm_0, with the recurrent one on
# top of that; their names are added to $rescored
rescored=
rescore() {
  local old=${lang}_test system=$1 new kind
  for kind in ${large_lm:+large} ${rnnlm:+rnnlm}; do
    if [ "$kind" = large ]; then new=${lang}_test_large; else new=$rnnlm; fi
    for part in $test_parts; do
      name=$(as_name "$part")
      [ "$stage" -gt 10 ] || steps_pytorch/rescore.sh --scoring-opts "$scoring_opts" "$old" "$new" \
        "$data/$name" "$exp/$system/decode_$name" "$exp/${1/_/_${kind}_}/decode_$name"
    done
    rescored+=" ${1/_/_${kind}_}"
    old=$new system=${1/_/_${kind}_}
  done
}

# results <system> ...: RESULTS.md of all test sets
results() {
  for part in $test_parts; do
    printf '## %s\n\n' "$part"
    # shellcheck disable=SC2046
    local/results.py "$exp/$1/decode_$(as_name "$part")/scoring_kaldi/test_filt.txt" \
      $(printf "$exp/%s/decode_$(as_name "$part") " "$@")
    echo
  done > "$exp/RESULTS.md"
  cat "$exp/RESULTS.md"
}

if [ "$stage" -le 10 ]; then
  stage 10 "decoding and scores"
  # shellcheck disable=SC2046
  decode $(printf 'chain_%s ' $seeds)
  [ -z "$large_lm" ] || steps_pytorch/build_const_arpa.sh "$large_lm" "${lang}_test" "${lang}_test_large"
fi
for seed in $seeds; do rescore "chain_$seed"; done
if [ "$stage" -le 11 ]; then
  stage 11 RESULTS.md
  # shellcheck disable=SC2046
  results tri3 $(printf 'chain_%s ' $seeds) $rescored
fi
