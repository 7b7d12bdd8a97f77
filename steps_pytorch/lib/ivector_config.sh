# shellcheck shell=bash
# Sourced by the steps that extract i-vectors.

# ivector_config <extractor-dir> <conf-dir>: prints the options that name the extractor's files and the settings of the
# variables num_gselect, min_post, ivector_period, posterior_scale and max_count; makes the files that it needs besides.
ivector_config() {
  local splice_options
  in_config_file "$1"
  in_config_file "$2"
  splice_options=$(options_in "$1/splice_opts")
  mkdir -p "$2"
  tr -s ' ' '\n' <<< "$splice_options" > "$2/splice.conf"
  if [ -f "$1/online_cmvn.conf" ]; then cp "$1/online_cmvn.conf" "$2"; else : > "$2/online_cmvn.conf"; fi
  cat <<END
--splice-config=$2/splice.conf
--cmvn-config=$2/online_cmvn.conf
--lda-matrix=$1/final.mat
--global-cmvn-stats=$1/global_cmvn.stats
--diag-ubm=$1/final.dubm
--ivector-extractor=$1/final.ie
--num-gselect=$num_gselect
--min-post=$min_post
--posterior-scale=$posterior_scale
--max-count=$max_count
--ivector-period=$ivector_period
END
  if [ -f "$1/online_cmvn_iextractor" ]; then echo "--online-cmvn-iextractor=true"; fi
}
