# Sourced by stages.sh: stages -1 and 0 for corpora of the BABEL program, whose places $lang_conf tells with the names of Kaldi's
# conf/lang.

oov="<unk>"
if [ -z "$lang_conf" ]; then
  echo "$0: which language? --lang-conf <file>, as conf/lang/example.conf or one of Kaldi's egs/babel/s5d/conf/lang" >&2
  exit 1
fi
# Sourced apart, as it sets many more variables.
places=$(
  set +u
  # shellcheck disable=SC1090
  . "$lang_conf" > /dev/null
  printf '%s\n' "$train_data_dir" "$train_data_list" "$dev10h_data_dir" "$dev10h_data_list" "$lexicon_file" "$lexiconFlags"
) || { echo "$0: $lang_conf cannot be sourced" >&2; exit 1; }
{ read -r train_dir; read -r train_list; read -r dev_dir; read -r dev_list; read -r lexicon; read -r lexicon_flags; } <<< "$places" || true
: "${lexicon:?$lang_conf does not set lexicon_file}" "${train_dir:?$lang_conf does not set train_data_dir}"
: "${dev_dir:?$lang_conf does not set dev10h_data_dir}"

if [ "$stage" -le 0 ]; then
  stage 0 "data and lang"
  rm -rf "$data"/{train,dev10h,dict_nosp}
  # shellcheck disable=SC2086
  local/prepare_lexicon.py $lexicon_flags --words-of "$train_dir/transcription" ${train_list:+--list "$train_list"} \
    "$lexicon" "$data/dict_nosp"
  # shellcheck disable=SC2046
  local/prepare_data.py --vocabulary "$data/dict_nosp/lexicon.txt" --fragment-markers='-*~' $(shorter) \
    ${train_list:+--list "$train_list"} "$train_dir" "$data/train"
  # shellcheck disable=SC2046
  local/prepare_data.py --fragment-markers='-*~' $(shorter) ${dev_list:+--list "$dev_list"} "$dev_dir" "$data/dev10h"
  for part in train dev10h; do utils/validate_data_dir.sh --no-feats "$data/$part"; done
  if [ -z "$lm" ]; then
    lm=$data/lm.arpa.gz
    nnet-pytorch-train-lm --vocabulary="$data/dict_nosp/lexicon.txt" --oov="$oov" "$data/train/text" "|gzip -c > $lm"
  fi
  make_lang _nosp
fi
: "${lm:=$data/lm.arpa.gz}"
