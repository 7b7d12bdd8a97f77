# Sourced by stages.sh: stages -1 and 0 for corpora that are laid out as LibriSpeech is: the download, data and lang.

oov="<UNK>"
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
case $large_lm in
  3-gram.arpa.gz | 4-gram.arpa.gz)
    downloads "$exp/lm" "$lm_url/$large_lm"
    large_lm=$exp/lm/$large_lm
    ;;
esac

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
  local/prepare_dict.py "$lexicon" "$data/dict_nosp"
  make_lang _nosp
fi
