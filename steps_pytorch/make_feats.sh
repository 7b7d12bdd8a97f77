#!/usr/bin/env bash
# Computes the features of a data directory's recordings: arguments and files of Kaldi's steps/make_{mfcc,fbank,plp}.sh.
# Waveforms, too: samples as features.
set -euo pipefail

# Begin configuration section.
nj=4
cmd=
type=mfcc
mfcc_config=conf/mfcc.conf
fbank_config=conf/fbank.conf
plp_config=conf/plp.conf
waveform_config=conf/waveform.conf
compress=
write_utt2num_frames=true
write_utt2dur=true
# End configuration section.

help_message="Usage: $0 [options] <data-dir> [<log-dir> [<feats-dir>]]
e.g.: $0 --nj 8 data/train exp/make_mfcc/train mfcc
<log-dir> is <data-dir>/log where it is not given, <feats-dir> <data-dir>/data.
  --type <mfcc|fbank|plp|waveform> # kind of features (mfcc)
  --mfcc-config, --fbank-config, --plp-config, --waveform-config <file>  # options of compute-*-feats (conf/mfcc.conf, ...)
  --nj <n>                         # number of parallel jobs (4)
  --cmd <cmd>                      # how to run them: run.pl, queue.pl ... (this machine)
  --compress <true|false>          # store them in 8 bits (true; false for waveforms)
  --write-utt2num-frames, --write-utt2dur <true|false>  # (true)"

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -ge 1 ] && [ $# -le 3 ] || usage
data=$1 logs=${2:-$1/log} folder=${3:-$1/data}

use_programs

program=compute-$type-feats
case $type in
  mfcc) config=$mfcc_config ;;
  fbank) config=$fbank_config ;;
  plp) config=$plp_config ;;
  waveform) config=$waveform_config program=nnet-pytorch-$program compress=${compress:-false} ;;
  *) fail "--type $type: must be mfcc, fbank, plp or waveform" ;;
esac
needs "$data/wav.scp" "$config"
vtln=() # warps of vocal tracts, of speakers or utterances
if [ -f "$data/spk2warp" ]; then
  vtln=("--vtln-map=ark:$data/spk2warp" "--utt2spk=ark:$data/utt2spk")
elif [ -f "$data/utt2warp" ]; then
  vtln=("--vtln-map=ark:$data/utt2warp")
fi
if [ "$type" = waveform ]; then vtln=(); fi # samples are what they are
"$utils/validate_data_dir.sh" --no-text --no-feats "$data"

mkdir -p "$folder" "$logs"
folder=$(cd "$folder" && pwd)
if [ -f "$data/feats.scp" ]; then
  mkdir -p "$data/.backup"
  mv "$data/feats.scp" "$data/.backup/"
fi
utterances=$(wc -l < "$data/utt2spk")
at_most "$data" utterances
"$utils/split_data.sh" --per-utt "$data" "$nj"
split=$data/split${nj}utt

name=$(basename "$data")
tables=$(ark_scp "$folder/raw_${type}_$name.JOB")
durations=() frames=() segments=()
if $write_utt2dur; then durations=("--write-utt2dur=ark,t:$split/JOB/utt2dur"); fi
if $write_utt2num_frames; then frames=("--write-num-frames=ark,t:$split/JOB/utt2num_frames"); fi
waves="scp,p:$split/JOB/wav.scp" # p: recordings that cannot be read are passed over
if [ -f "$data/segments" ]; then
  segments=(extract-segments "$waves" "$split/JOB/segments" ark:- \|)
  waves=ark:-
fi
run_jobs JOB=1:"$nj" "$logs/make_${type}_$name.JOB.log" \
  "${segments[@]}" "$program" "${vtln[@]}" "${durations[@]}" --config="$config" "$waves" ark:- \| \
  copy-feats --compress="${compress:-true}" "${frames[@]}" ark:- "$tables"

joined() { # <file of each job> <file of the data directory>
  for n in $(seq "$nj"); do cat "${1//JOB/$n}"; done > "$data/.$2"
  mv "$data/.$2" "$data/$2"
}
if $write_utt2dur; then joined "$split/JOB/utt2dur" utt2dur; fi
if $write_utt2num_frames; then joined "$split/JOB/utt2num_frames" utt2num_frames; fi
joined "$folder/raw_${type}_$name.JOB.scp" feats.scp

shift_ms=$(sed -n 's/^--frame-shift=\([0-9.]*\).*/\1/p' "$config" | tail -n 1)
awk -v ms="${shift_ms:-10}" 'BEGIN { print ms / 1000 }' > "$data/frame_shift"
mkdir -p "$data/conf"
rm -f "$data"/conf/{mfcc,fbank,plp,waveform}.conf # how features were made that were there before
cp "$config" "$data/conf/$type.conf"

made=$(wc -l < "$data/feats.scp")
if [ "$made" -ne "$utterances" ]; then
  missing=$(LC_ALL=C comm -23 <(awk '{ print $1 }' "$data/utt2spk" | LC_ALL=C sort) \
    <(awk '{ print $1 }' "$data/feats.scp" | LC_ALL=C sort))
  echo "$0: $((utterances - made)) of $utterances utterances of $data have no features (see $logs), the first:" \
    "$(head -n 5 <<< "$missing" | tr '\n' ' '); fix_data_dir.sh leaves them out" >&2
  [ $((made * 20)) -ge $((utterances * 19)) ] || fail "less than 95% of the features were made"
fi
echo "$0: Succeeded creating $type features for $name"
