#!/usr/bin/env bash
# Makes the targets of MMI, MPFE and sMBR training by the model that is to be trained on: an alignment of each transcript, and
# a lattice of what might have been said in its place.
set -euo pipefail

# Begin configuration section.
stage=0
nj=4
cmd=
acwt=0.1
self_loop_scale=0.1
beam=13.0
lattice_beam=7.0
max_active=5000
min_active=200
frames_per_chunk=50
online_ivector_dir=
ali_dir=
lat_dir=
iter=final
# End configuration section.

help_message="Usage: $0 [options] <data-dir> <lang-dir> <model-dir> <dir>
e.g.: $0 --acwt 1.0 --self-loop-scale 1.0 data/train_hires data/lang_chain exp/chain/tdnnf exp/chain/tdnnf_denlats
Writes <dir>/ali.*.gz, lat.scp and final.mdl, which train.sh --objective smbr (mmi, mpfe) takes as targets.
The language model of the lattices is a unigram of the transcripts, as in Kaldi's steps/nnet3/make_denlats.sh.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --acwt <x>                       # acoustic scale (0.1; 1.0 for chain models)
  --self-loop-scale <x>            # of the graphs (0.1; 1.0 for chain models)
  --beam, --lattice-beam, --max-active, --min-active, --frames-per-chunk
  --online-ivector-dir <dir>       # ivector_online.scp and ivector_period
  --ali-dir <dir>                  # alignments that exist, ali.*.gz
  --lat-dir <dir>                  # lattices that exist, lat.*.gz
  --iter <name>                    # the model is <name>.mdl (final)
  --stage <n>                      # 0 graph, 1 alignments, 2 lattices, 3 their table"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 4 ] || usage
data=$1 lang=$2 source=$3 dir=$4
use_programs
model=$source/$iter.mdl
needs "$data"/{feats.scp,utt2spk,text} "$lang"/{L.fst,phones.txt,words.txt,oov.txt,oov.int,phones/disambig.int} "$model" "$source/tree"
[ -z "$online_ivector_dir" ] || needs "$online_ivector_dir"/{ivector_online.scp,ivector_period}
if [ -f "$source/phones.txt" ]; then
  cmp -s <(grep -av '^#' "$source/phones.txt") <(grep -av '^#' "$lang/phones.txt") ||
    fail "the phones of $source and $lang differ: the model is for another lang directory"
fi
check_input ${online_ivector_dir:+--ivector-dir="$online_ivector_dir"} "$source" "$data"
mkdir -p "$dir/log"
at_most "$data" utterances
"$utils/split_data.sh" --per-utt "$data" "$nj"
split=$data/split${nj}utt
part=$(quoted "$split")/JOB
cp "$source/tree" "$lang/phones.txt" "$dir"
cp "$model" "$dir/final.mdl"

options=(--frames-per-chunk="$frames_per_chunk")
if [ -f "$source/frame_subsampling_factor" ]; then
  options+=(--frame-subsampling-factor="$(number_in "$source/frame_subsampling_factor")")
fi
if [ -n "$online_ivector_dir" ]; then
  period=$(number_in "$online_ivector_dir/ivector_period")
  options+=(--online-ivectors="scp:$online_ivector_dir/ivector_online.scp" --online-ivector-period="$period")
fi
cmvn_options=$(options_in "$source/cmvn_opts")
if [ -f "$source/online_cmvn" ]; then
  needs "$source/global_cmvn.stats"
  feats="ark,s,cs:apply-cmvn-online $cmvn_options --spk2utt=ark:$part/spk2utt \
$(quoted "$source")/global_cmvn.stats scp:$part/feats.scp ark:- |"
elif [ -z "$cmvn_options" ] || [[ $cmvn_options == *--norm-means=false* ]]; then
  feats="scp:$split/JOB/feats.scp"
else
  needs "$data/cmvn.scp"
  feats="ark,s,cs:apply-cmvn $cmvn_options --utt2spk=ark:$part/utt2spk scp:$part/cmvn.scp scp:$part/feats.scp ark:- |"
fi

if [ "$stage" -le 0 ] && [ -z "$lat_dir" ]; then
  outside "$dir/lang" "$lang"
  oov=$(< "$lang/oov.txt")
  nnet-pytorch-train-lm --order=1 --vocabulary="$lang/words.txt" --oov="$oov" "$data/text" "$dir/unigram.arpa"
  rm -rf "$dir/lang"
  cp -rL "$lang" "$dir/lang"
  arpa2fst --disambig-symbol='#0' --read-symbol-table="$lang/words.txt" "$dir/unigram.arpa" "$dir/lang/G.fst"
  "$steps/mkgraph.sh" --self-loop-scale="$self_loop_scale" "$dir/lang" "$dir" "$dir/graph"
fi

if [ "$stage" -le 1 ]; then
  rm -f "$dir"/ali.*.gz
  if [ -n "$ali_dir" ]; then
    needs "$ali_dir/ali.1.gz"
    cp "$ali_dir"/ali.*.gz "$dir"
  else
    scales=(--transition-scale=1.0 --acoustic-scale="$acwt" --self-loop-scale="$self_loop_scale")
    oov=$(number_in "$lang/oov.int")
    transcripts="ark:$(quoted "$utils/sym2int.py") --map-oov $oov -f 2- $(quoted "$lang/words.txt") $part/text |"
    run_jobs JOB=1:"$nj" "$dir/log/align.JOB.log" \
      compile-train-graphs --read-disambig-syms="$lang/phones/disambig.int" "$dir/tree" "$model" "$lang/L.fst" \
      "$transcripts" ark:- "|" \
      nnet3-align-compiled "${scales[@]}" "${options[@]}" --use-gpu=no "$model" ark:- "$feats" \
      "ark:|gzip -c >$(quoted "$dir")/ali.JOB.gz"
  fi
fi

if [ "$stage" -le 2 ] && [ -z "$lat_dir" ]; then
  rm -f "$dir"/lat.*.gz
  run_jobs JOB=1:"$nj" "$dir/log/decode.JOB.log" \
    nnet3-latgen-faster "${options[@]}" --acoustic-scale="$acwt" --beam="$beam" --lattice-beam="$lattice_beam" \
    --max-active="$max_active" --min-active="$min_active" --allow-partial=false --determinize-lattice=false \
    --word-symbol-table="$lang/words.txt" "$model" "$dir/graph/HCLG.fst" "$feats" \
    "ark:|lattice-determinize-non-compact --acoustic-scale=$(quoted "$acwt") --prune=true \
--beam=$(quoted "$lattice_beam") ark:- ark:- | gzip -c >$(quoted "$dir")/lat.JOB.gz"
fi

if [ "$stage" -le 3 ]; then
  : "${lat_dir:=$dir}"
  needs "$lat_dir/lat.1.gz"
  jobs=1
  while [ -f "$lat_dir/lat.$((jobs + 1)).gz" ]; do jobs=$((jobs + 1)); done
  rm -f "$dir/lat.scp"
  run_jobs JOB=1:"$jobs" "$dir/log/table.JOB.log" \
    lattice-copy --write-compact=false "ark:gunzip -c $(quoted "$lat_dir")/lat.JOB.gz |" "$(ark_scp "$dir/lat.JOB")"
  for job in $(seq "$jobs"); do cat "$dir/lat.$job.scp"; done > "$dir/.lat.scp.$$"
  mv "$dir/.lat.scp.$$" "$dir/lat.scp"
fi
echo "$0: lattices of $(wc -l < "$dir/lat.scp") utterances in $dir"
