# shellcheck shell=bash
# Sourced by the steps that compute a network over features as it was trained on them.
#
#   network_options <model-dir> <data-dir> <ivector-dir>    sets network_options, an array: how often there is an output,
#                                        and the i-vectors (<ivector-dir> may be empty); and cmvn_options. Ends the step
#                                        where the model was trained on other features
#   same_phones <graph-dir|lang-dir> <model-dir>            ends the step where they have other phones, disambiguation
#                                        symbols aside
#   network_feats <model-dir> <data-dir> <split-dir>        then, sets feats: the rspecifier of a job's features, normalized

same_phones() {
  if [ -f "$1/phones.txt" ] && [ -f "$2/phones.txt" ]; then
    cmp -s <(grep -av '^#' "$1/phones.txt") <(grep -av '^#' "$2/phones.txt") ||
      fail "the phones of $2 and $1 differ: they were made for different models"
  fi
}

network_options() {
  local model_dir=$1 data_dir=$2 ivector_dir=$3 factor period
  [ -z "$ivector_dir" ] || needs "$ivector_dir"/{ivector_online.scp,ivector_period}
  check_input ${ivector_dir:+--ivector-dir="$ivector_dir"} "$model_dir" "$data_dir"
  network_options=()
  if [ -f "$model_dir/frame_subsampling_factor" ]; then
    factor=$(number_in "$model_dir/frame_subsampling_factor")
    network_options+=(--frame-subsampling-factor="$factor")
  fi
  if [ -n "$ivector_dir" ]; then
    period=$(number_in "$ivector_dir/ivector_period")
    network_options+=(--online-ivectors="scp:$ivector_dir/ivector_online.scp" --online-ivector-period="$period")
  fi
  cmvn_options="--norm-means=false --norm-vars=false"
  if [ -f "$model_dir/cmvn_opts" ]; then
    cmvn_options=$(options_in "$model_dir/cmvn_opts")
  else
    echo "$0: warning: no such file $model_dir/cmvn_opts: features are not normalized. A model that was trained on" \
      "normalized ones recognizes nothing then: copy its cmvn_opts too" >&2
  fi
}

network_feats() {
  local model_dir=$1 data_dir=$2 split_dir=$3 part
  part=$(quoted "$split_dir")/JOB
  if [ -f "$model_dir/online_cmvn" ]; then
    needs "$model_dir/global_cmvn.stats"
    feats="ark,s,cs:apply-cmvn-online $cmvn_options --spk2utt=ark:$part/spk2utt \
$(quoted "$model_dir")/global_cmvn.stats scp:$part/feats.scp ark:- |"
  elif [[ $cmvn_options == *--norm-means=false* ]]; then
    feats="scp:$split_dir/JOB/feats.scp"
  else
    needs "$data_dir/cmvn.scp"
    feats="ark,s,cs:apply-cmvn $cmvn_options --utt2spk=ark:$part/utt2spk scp:$part/cmvn.scp scp:$part/feats.scp ark:- |"
  fi
}
