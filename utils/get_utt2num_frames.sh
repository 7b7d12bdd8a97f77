#!/usr/bin/env bash
# Writes utt2num_frames, the numbers of frames of utterances: arguments of Kaldi's utils/data/get_utt2num_frames.sh.
set -euo pipefail

# Begin configuration section.
cmd=
nj=4
frame_shift=0.01
frame_overlap=0.015
# End configuration section.

help_message="Usage: $0 [options] <data-dir>
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --frame-shift, --frame-overlap <seconds>  # where there are no features, but durations (0.01, 0.015)"

. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../steps_pytorch/lib/step.sh"

[ $# -eq 1 ] || usage
data=$1
use_programs
[ -s "$data/utt2spk" ] || fail "no such file $data/utt2spk, or it is empty"
utterances=$(wc -l < "$data/utt2spk")

if [ -s "$data/utt2num_frames" ]; then
  echo "$0: $data/utt2num_frames already present!"
  exit 0
fi
if [ -f "$data/feats.scp" ]; then
  at_most "$data" utterances
  "$utils/split_data.sh" --per-utt "$data" "$nj"
  split=$data/split${nj}utt
  run_jobs JOB=1:"$nj" "$data/log/get_utt2num_frames.JOB.log" \
    feat-to-len "scp:$split/JOB/feats.scp" "ark,t:$split/JOB/utt2num_frames"
  for n in $(seq "$nj"); do cat "$split/$n/utt2num_frames"; done > "$data/.utt2num_frames"
else
  "$utils/get_utt2dur.sh" --nj "$nj" --cmd "$cmd" "$data"
  awk -v shift="$frame_shift" -v overlap="$frame_overlap" \
    '{ print $1, int(($2 - overlap) / shift) }' "$data/utt2dur" > "$data/.utt2num_frames"
fi
mv "$data/.utt2num_frames" "$data/utt2num_frames"
echo "$0: computed $data/utt2num_frames"
