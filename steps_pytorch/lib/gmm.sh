# shellcheck shell=bash
# Sourced by the steps of GMMs.
#
#   gmm_programs                                        our programs under Kaldi's names, one thread for each job
#   gmm_split <data-dir> <dir>                          sets split, a directory with folders 1, 2, ...; lowers nj
#   gmm_normalized <data-dir> <cmvn options> <dir>      splits, and sets feats (an rspecifier) and front_end (an array
#                                                       of options of the programs that read it), with JOB for the job
#   gmm_spliced <splice options>                        adds splicing to front_end
#   gmm_features <data-dir> <feature-dir> <dir>         the same as two before, then deltas, or splicing and the
#                                                       transform, as the files of <feature-dir> say
#   gmm_dim                                             prints the dimension of these features
#   gmm_prepare <data-dir> <lang-dir> <src-dir> <dir>   all of this, with features as those of <src-dir>
#   gmm_same_phones <lang-dir> <dir>                    ends the step where <dir> has other phones
#   gmm_check_graphs <src-dir>                          ends the step where it has no graphs for as many jobs
#   gmm_transcripts <lang-dir>                          prints an rspecifier of each job's transcripts, as integers
#   gmm_boosted <model> <lang-dir>                      prints an rxfilename of it, by boost_silence
#   gmm_failed <words> <message> <log> ...              adds up the numbers after the words; reports them if not 0
#   gmm_needs <file> ...                                which are there and not empty
#
# Speakers stay whole, as in Kaldi's GMM steps, where there are as many as jobs; else utterances are split, and
# <dir>/per_utt says so. With whole_speakers=true, which transforms of speakers need, there are fewer jobs instead. A
# split that is there and up to date, ours or Kaldi's, is kept.

whole_speakers=false

gmm_programs() {
  use_programs
  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} # many jobs, one thread each
}

gmm_split() {
  local data=$1 dir=$2 file old=false how=
  at_most "$data" utterances
  if $whole_speakers; then at_most "$data" speakers; fi
  split=$data/split$nj
  rm -f "$dir/per_utt"
  if [ "$(awk '{ print $2 }' "$data/utt2spk" | LC_ALL=C sort -u | wc -l)" -lt "$nj" ]; then
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

gmm_normalized() {
  local data=$1 cmvn_options=$2 dir=$3
  needs "$data/feats.scp"
  gmm_split "$data" "$dir"
  feats="scp:$split/JOB/feats.scp"
  front_end=("--utt2spk=ark:$split/JOB/utt2spk")
  if [[ $cmvn_options != *--norm-means=false* ]]; then
    needs "$data/cmvn.scp"
    # shellcheck disable=SC2206
    front_end+=("--cmvn=scp:$split/JOB/cmvn.scp" $cmvn_options)
  fi
}

gmm_spliced() {
  # shellcheck disable=SC2206
  front_end+=(--left-context=4 --right-context=4 $1)
}

gmm_features() {
  local data=$1 source=$2 dir=$3 cmvn_options options
  cmvn_options=$(options_in "$source/cmvn_opts")
  gmm_normalized "$data" "$cmvn_options" "$dir"
  if [ -f "$source/final.mat" ]; then
    options=$(options_in "$source/splice_opts")
    gmm_spliced "$options"
    front_end+=("--transform=$source/final.mat")
  else
    options=$(options_in "$source/delta_opts")
    # shellcheck disable=SC2206
    front_end+=(--delta-order=2 $options)
  fi
}

gmm_dim() {
  feat-to-dim --print-args=false "${front_end[@]//JOB/1}" "${feats//JOB/1}" -
}

gmm_needs() {
  local file
  needs "$@"
  for file in "$@"; do
    [ -s "$file" ] || fail "$file is empty"
  done
}

gmm_prepare() {
  local data=$1 lang=$2 source=$3 dir=$4 file
  gmm_programs
  gmm_needs "$data/text" "$lang/phones.txt" "$lang/oov.int" "$source/final.mdl"
  gmm_same_phones "$lang" "$source"
  check_input "$source" "$data"
  mkdir -p "$dir/log"
  cp "$lang/phones.txt" "$dir"
  for file in cmvn_opts delta_opts splice_opts final.mat full.mat input.json; do
    rm -f "$dir/$file"
    if [ -f "$source/$file" ]; then cp "$source/$file" "$dir"; fi
  done
  gmm_features "$data" "$source" "$dir"
  echo "$nj" > "$dir/num_jobs"
}

gmm_same_phones() {
  if [ -f "$2/phones.txt" ]; then
    cmp -s "$1/phones.txt" "$2/phones.txt" || fail "the phones of $1 and $2 differ"
  fi
}

gmm_check_graphs() {
  local jobs
  jobs=$(number_in "$1/num_jobs")
  [ "$jobs" = "$nj" ] || fail "--use-graphs needs --nj $jobs, as $1 has, not $nj"
  needs "$1/fsts.1.gz"
}

gmm_transcripts() {
  local oov
  oov=$(number_in "$1/oov.int")
  echo "ark:$(quoted "$utils/sym2int.py") --map-oov $oov -f 2- $(quoted "$1/words.txt") $(quoted "$split")/JOB/text|"
}

gmm_boosted() {
  local silence
  if [ "$boost_silence" = 1.0 ]; then
    echo "$1"
  else
    silence=$(phones_in "$2/phones/optional_silence.csl")
    echo "gmm-boost-silence --boost=$(quoted "$boost_silence") $silence $(quoted "$1") - |"
  fi
}

gmm_failed() {
  local words=$1 message=$2 count
  shift 2
  count=$(cat "$@" | grep -ao "$words [0-9]*" | awk '{ n += $NF } END { print n + 0 }')
  if [ "$count" -ne 0 ]; then echo "$0: $count $message, see ${1%/*}"; fi
}
