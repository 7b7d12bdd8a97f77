# Sourced by the steps of GMMs.
#
#   gmm_programs                                        our programs under Kaldi's names; sets cmd where it is empty
#   gmm_split <data-dir> <jobs> <dir>                   sets split, a directory with folders 1, 2, ...
#   gmm_features <data-dir> <jobs> <cmvn options> <delta options> <dir>
#                                                       splits, and sets feats (an rspecifier) and front_end (options
#                                                       of the programs that read it), with JOB for the job's number
#   gmm_prepare <data-dir> <lang-dir> <src-dir> <dir>   all of this for nj jobs, with features as those of <src-dir>
#   gmm_failed <logs> <words> <message>                 adds up the numbers after the words; reports them if not 0
#   fail <message>
#
# Speakers stay whole, as in Kaldi's GMM steps, where there are as many as jobs; else utterances are split, and
# <dir>/per_utt says so. A split that is there and up to date, ours or Kaldi's, is kept.

fail() { echo "$0: $1" >&2; exit 1; }

gmm_programs() {
  command -v nnet-pytorch-path >/dev/null || fail "nnet-pytorch is not installed: no nnet-pytorch-path on the PATH"
  PATH="$(nnet-pytorch-path --print-args=false):$PATH"
  : "${cmd:=$utils/run.py}"
  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} # many jobs, one thread each
}

gmm_split() {
  local data=$1 nj=$2 dir=$3 file old=false how=
  [ -f "$data/utt2spk" ] || fail "no such file $data/utt2spk"
  split=$data/split$nj
  rm -f "$dir/per_utt"
  if [ "$(cut -d' ' -f2 "$data/utt2spk" | sort -u | wc -l)" -lt "$nj" ]; then
    split+=utt how=--per-utt
    echo "$nj" > "$dir/per_utt"
  fi
  for file in utt2spk feats.scp text cmvn.scp; do
    if [ -f "$data/$file" ] && { [ ! -f "$split/$nj/$file" ] || [ "$data/$file" -nt "$split/$nj/$file" ]; }; then
      old=true
    fi
  done
  if $old; then "$utils/split_data.sh" $how "$data" "$nj"; fi
}

gmm_features() {
  local data=$1 nj=$2 cmvn_options=$3 delta_options=$4 dir=$5
  [ -f "$data/feats.scp" ] || fail "no such file $data/feats.scp"
  gmm_split "$data" "$nj" "$dir"
  feats="scp:$split/JOB/feats.scp"
  front_end="--delta-order=2 $delta_options"
  if [[ $cmvn_options != *--norm-means=false* ]]; then
    [ -f "$data/cmvn.scp" ] || fail "no such file $data/cmvn.scp"
    front_end+=" --cmvn=scp:$split/JOB/cmvn.scp --utt2spk=ark:$split/JOB/utt2spk $cmvn_options"
  fi
}

gmm_options() { if [ -f "$1" ]; then cat "$1"; fi; }

gmm_needs() { # <file> ...
  local file
  for file in "$@"; do
    [ -f "$file" ] || fail "no such file $file"
    [ -s "$file" ] || fail "$file is empty"
  done
}

gmm_prepare() {
  local data=$1 lang=$2 source=$3 dir=$4 file
  gmm_programs
  gmm_needs "$data/text" "$lang/phones.txt" "$lang/oov.int" "$source/final.mdl"
  [ ! -f "$source/final.mat" ] || fail "$source has a feature transform (final.mat), which these steps do not apply"
  if [ -f "$source/phones.txt" ]; then
    cmp -s "$lang/phones.txt" "$source/phones.txt" || fail "the phones of $lang and $source differ"
  fi
  mkdir -p "$dir/log"
  echo "$nj" > "$dir/num_jobs"
  cp "$lang/phones.txt" "$dir"
  for file in cmvn_opts delta_opts; do
    if [ -f "$source/$file" ]; then cp "$source/$file" "$dir"; fi
  done
  gmm_features "$data" "$nj" "$(gmm_options "$source/cmvn_opts")" "$(gmm_options "$source/delta_opts")" "$dir"
}

gmm_failed() {
  local count
  # shellcheck disable=SC2086
  count=$(cat $1 | grep -o "$2 [0-9]*" | awk '{n += $NF} END {print n + 0}')
  if [ "$count" -ne 0 ]; then echo "$0: $count $3, see $1"; fi
}
