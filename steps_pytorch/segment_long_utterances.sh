#!/usr/bin/env bash
# Segments of long recordings in which their texts, which may have errors, are what is said; without features or a GMM.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
lang=
tree=
lexicon=
graph=
min_words=3
min_pause=0.03
max_pause=1.0
max_length=15.0
padding=0.2
# End configuration section.

help_message="Usage: $0 [options] <model-dir> <data-dir> <segmented-data-dir>
e.g.: $0 --lang data/lang exp/tdnn_online data/talks data/talks_segmented
<model-dir> is what nnet-pytorch-recognize opens: a folder for Vosk, or Kaldi's of prepare_online_decoding.sh.
<data-dir> has wav.scp, utt2spk and in text the whole text of each recording.
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --lang <dir>                     # the model's lang directory; without it words are those of the model's graph
  --tree <file>                    # with --lang: the model's tree, where its folder has none
  --lexicon <file>                 # with --lang: more pronunciations
  --graph <dir>                    # the model's graph, where its folder has none inside
  --min-words <n>                  # words that must be heard as they are written, one after the other (3)
  --min-pause, --max-pause <seconds>   # silence at which segments may begin and end; that none has inside (0.03; 1.0)
  --max-length <seconds>           # segments that are longer are divided, where they have a pause (15)
  --padding <seconds>              # silence around segments (0.2)"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 3 ] || usage
model=$1 data=$2 segmented=$3
use_programs
needs "$data"/{wav.scp,text,utt2spk}
at_most "$data" utterances
"$utils/split_data.sh" --per-utt "$data" "$nj"
split=$data/split${nj}utt

options=(--min-words="$min_words" --min-pause="$min_pause" --max-pause="$max_pause" --max-length="$max_length"
  --padding="$padding")
for name in lang tree lexicon graph; do
  if [ -n "${!name}" ]; then options+=("--$name=${!name}"); fi
done
rm -rf "$split"/*/segmented
run_jobs JOB=1:"$nj" "$segmented/log/segment.JOB.log" \
  nnet-pytorch-segment-long-utterances "${options[@]}" "$model" "$split/JOB" "$split/JOB/segmented"

parts=()
for part in "$split"/*/segmented; do
  if [ -f "$part/segments" ]; then parts+=("$part"); fi
done
[ ${#parts[@]} -gt 0 ] || fail "no segments were found: see $segmented/log"
"$utils/combine_data.sh" "$segmented" "${parts[@]}"
echo "$0: made $(wc -l < "$segmented/segments") segments of $(wc -l < "$data/utt2spk") recordings"
