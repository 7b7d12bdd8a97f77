#!/usr/bin/env bash
# Decodes recordings as if they came in at the pace of speech, as Kaldi's steps/online/nnet3/decode.sh does.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
iter=final
stage=1
acwt=0.1
post_decode_acwt=1.0
beam=15.0
lattice_beam=6.0
max_active=7000
min_active=200
frames_per_chunk=20
extra_left_context_initial=0
chunk_length=0.18
online=true
per_utt=false
do_endpointing=false
endpoint_opts=
silence_weight=1.0
max_state_duration=40
mfcc_config=
fbank_config=
online_config=
ivector_extractor=
num_gselect=5
min_post=0.025
ivector_period=10
posterior_scale=0.1
max_count=100
scoring_opts=
skip_scoring=false
# End configuration section.

help_message="Usage: $0 [options] <graph-dir> <data-dir> <decode-dir>
e.g.: $0 --mfcc-config conf/mfcc_hires.conf --ivector-extractor exp/nnet3/extractor --acwt 1.0 --post-decode-acwt 10.0 \\
  exp/tdnn/graph data/test exp/tdnn/decode_online
The model is <decode-dir>/../final.mdl; <data-dir> needs recordings, not features.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --mfcc-config, --fbank-config <file>  # options of the features
  --ivector-extractor <dir>        # for models that take i-vectors: Kaldi's extractor
  --online-config <file>           # what Kaldi's prepare_online_decoding.sh wrote, instead of the three above
  --acwt <x>                       # acoustic scale of the search (0.1; 1.0 for chain models)
  --post-decode-acwt <x>           # scale of the lattices' acoustic costs (1.0; 10.0 for chain models)
  --frames-per-chunk <n>           # frames of which outputs are computed together: more is faster, and later (20)
  --chunk-length <seconds>         # of speech that come in at a time (0.18)
  --online false                   # i-vectors of whole utterances from their beginning on
  --per-utt true                   # each utterance by itself, whoever speaks
  --do-endpointing true            # stop at the end of speech; --endpoint-opts: of nnet-pytorch-online2-wav-latgen-faster
  --silence-weight <x>             # of frames in i-vectors that decoding takes for silence (1.0)
  --max-count, --ivector-period, --num-gselect, --min-post, --posterior-scale  # of i-vectors; as Kaldi prepares them
  --beam, --lattice-beam, --max-active, --min-active, --extra-left-context-initial, --max-state-duration
  --stage 3                        # only score;  --skip-scoring true: never
  --scoring-opts <string>          # options of score.sh"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 3 ] || usage
graph=$1 data=$2 dir=$3

use_programs
source=$(dirname "$dir")
model=$source/$iter.mdl
needs "$graph"/{HCLG.fst,words.txt} "$data"/{wav.scp,utt2spk} "$model"
for file in "$mfcc_config" "$fbank_config" "$online_config"; do
  [ -z "$file" ] || needs "$file"
done
[ -z "$mfcc_config" ] || [ -z "$fbank_config" ] || fail "give one of --mfcc-config and --fbank-config"

mkdir -p "$dir/log" "$dir/conf"
if $per_utt; then at_most "$data" utterances; else at_most "$data" speakers; fi
echo "$nj" > "$dir/num_jobs"
if [ -z "$online_config" ]; then
  for file in "$dir" "$source" "$mfcc_config" "$fbank_config"; do in_config_file "$file"; done
  online_config=$dir/conf/online.conf
  : > "$online_config"
  if [ -n "$mfcc_config" ]; then echo "--mfcc-config=$mfcc_config" >> "$online_config"; fi
  if [ -n "$fbank_config" ]; then printf '%s\n' --feature-type=fbank "--fbank-config=$fbank_config" >> "$online_config"; fi
  cmvn_options=
  if [ -f "$source/cmvn_opts" ]; then
    cmvn_options=$(options_in "$source/cmvn_opts")
  else
    echo "$0: warning: no such file $source/cmvn_opts: features are not normalized" >&2
  fi
  if [ -f "$source/online_cmvn" ]; then
    tr -s ' ' '\n' <<< "$cmvn_options" > "$dir/conf/nnet_cmvn.conf"
    printf '%s\n' "--cmvn-config=$dir/conf/nnet_cmvn.conf" "--global-cmvn-stats=$source/global_cmvn.stats" \
      >> "$online_config"
  elif [ -n "$cmvn_options" ] && [[ $cmvn_options != *--norm-means=false* ]]; then
    fail "$source was trained on features normalized by whole speakers (cmvn_opts), which cannot be had online"
  fi
  if [ -n "$ivector_extractor" ]; then
    . "$steps/lib/ivector_config.sh"
    ivector_config "$ivector_extractor" "$dir/conf" > "$dir/conf/ivector_extractor.conf"
    echo "--ivector-extraction-config=$dir/conf/ivector_extractor.conf" >> "$online_config"
  fi
fi

check_input --online-config="$online_config" "$source" "$data"

# shellcheck disable=SC2206
options=(--config="$online_config" --chunk-length="$chunk_length" --online="$online"
  --do-endpointing="$do_endpointing" --frames-per-chunk="$frames_per_chunk"
  --extra-left-context-initial="$extra_left_context_initial" --max-active="$max_active" --min-active="$min_active"
  --beam="$beam" --lattice-beam="$lattice_beam" --acoustic-scale="$acwt" $endpoint_opts)
if [ -f "$source/frame_subsampling_factor" ]; then
  factor=$(number_in "$source/frame_subsampling_factor")
  options+=(--frame-subsampling-factor="$factor")
fi
if $do_endpointing || [ "$silence_weight" != 1.0 ]; then
  silence=$(phones_in "$graph/phones/silence.csl")
  options+=(--endpoint.silence-phones="$silence")
  if [ "$silence_weight" != 1.0 ]; then
    options+=(--ivector-silence-weighting.silence-phones="$silence"
      --ivector-silence-weighting.silence-weight="$silence_weight"
      --ivector-silence-weighting.max-state-duration="$max_state_duration")
  fi
fi

if [ "$stage" -le 1 ]; then
  if $per_utt; then
    "$utils/split_data.sh" --per-utt "$data" "$nj"
    split=$data/split${nj}utt
    for n in $(seq "$nj"); do awk '{print $1, $1}' "$split/$n/utt2spk" > "$dir/conf/spk2utt.$n"; done
    speakers=$dir/conf/spk2utt.JOB
  else
    "$utils/split_data.sh" "$data" "$nj"
    split=$data/split$nj
    speakers=$split/JOB/spk2utt
  fi
  waves="scp,p:$split/JOB/wav.scp"
  if [ -f "$data/segments" ]; then
    waves="ark,s,cs:extract-segments scp,p:$(quoted "$split")/JOB/wav.scp $(quoted "$split")/JOB/segments ark:- |"
  fi
  lattices="ark:|gzip -c >$(quoted "$dir")/lat.JOB.gz"
  if [ "$post_decode_acwt" != 1.0 ]; then
    lattices="ark:|lattice-scale --acoustic-scale=$(quoted "$post_decode_acwt") ark:- ark:- | \
gzip -c >$(quoted "$dir")/lat.JOB.gz"
  fi
  rm -f "$dir"/lat.*.gz
  run_jobs JOB=1:"$nj" "$dir/log/decode.JOB.log" \
    online2-wav-nnet3-latgen-faster "${options[@]}" --word-symbol-table="$graph/words.txt" \
      "$model" "$graph/HCLG.fst" "ark:$speakers" "$waves" "$lattices"
fi

if [ "$stage" -le 3 ] && ! $skip_scoring; then
  score "$data" "$graph" "$dir"
fi
echo "Decoding done."
