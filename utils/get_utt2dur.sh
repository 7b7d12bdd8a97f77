#!/usr/bin/env bash
# Writes utt2dur, the durations of utterances in seconds: arguments of Kaldi's utils/data/get_utt2dur.sh.
set -euo pipefail

# Begin configuration section.
frame_shift=0.01
cmd=
nj=4
read_entire_file=false
# End configuration section.

help_message="Usage: $0 [options] <data-dir>
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --read-entire-file <true|false>  # count the samples rather than believe the headers of recordings (false)
  --frame-shift <seconds>          # where there are only features, and no file frame_shift (0.01)"

. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../steps_pytorch/lib/step.sh"

[ $# -eq 1 ] || usage
data=$1
use_programs
[ -s "$data/utt2spk" ] || fail "no such file $data/utt2spk, or it is empty"
utterances=$(wc -l < "$data/utt2spk")

if [ -s "$data/utt2dur" ] && [ "$(wc -l < "$data/utt2dur")" -eq "$utterances" ]; then
  echo "$0: $data/utt2dur already exists with the expected length.  We won't recompute it."
  exit 0
fi

from_frames() { # a frame is longer than the shift, typically by 1.5 times the shift
  awk -v shift="$frame_shift" '{ print $1, ($2 + 1.5) * shift }' > "$data/.utt2dur"
}
if [ -s "$data/frame_shift" ]; then frame_shift=$(tr -d ' ' < "$data/frame_shift"); fi

if [ -s "$data/segments" ]; then
  awk '$4 < 0 { print FILENAME ": utterance " $1 " ends where its recording does" > "/dev/stderr"; exit 1 }
       { print $1, $4 - $3 }' "$data/segments" > "$data/.utt2dur" || fail "no duration from $data/segments"
elif [ -s "$data/frame_shift" ] && [ -f "$data/utt2num_frames" ]; then
  from_frames < "$data/utt2num_frames"
elif [ -f "$data/wav.scp" ]; then
  if grep -q 'sox.*speed' "$data/wav.scp"; then read_entire_file=true; fi # whose headers do not tell
  at_most "$data" utterances
  "$utils/split_data.sh" --per-utt "$data" "$nj"
  split=$data/split${nj}utt
  run_jobs JOB=1:"$nj" "$data/log/get_durations.JOB.log" \
    wav-to-duration --read-entire-file="$read_entire_file" "scp:$split/JOB/wav.scp" "ark,t:$split/JOB/utt2dur"
  for n in $(seq "$nj"); do cat "$split/$n/utt2dur"; done > "$data/.utt2dur"
elif [ -f "$data/feats.scp" ]; then
  feat-to-len "scp:$data/feats.scp" ark,t:- | from_frames
else
  fail "expected $data/wav.scp, $data/segments or $data/feats.scp to exist"
fi
mv "$data/.utt2dur" "$data/utt2dur"

found=$(wc -l < "$data/utt2dur")
if [ "$found" -ne "$utterances" ]; then
  echo "$0: warning: $data/utt2dur has $found utterances, $data/utt2spk $utterances" >&2
  [ $((found * 2)) -ge "$utterances" ] || fail "less than half of the utterances got a duration"
fi
echo "$0: computed $data/utt2dur"
