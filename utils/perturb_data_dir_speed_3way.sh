#!/usr/bin/env bash
# Adds copies at 0.9 and 1.1 times the speed to a data directory: Kaldi's utils/data/perturb_data_dir_speed_3way.sh.
set -euo pipefail

# Begin configuration section.
always_include_prefix=false
include_spk_prefix=true
write_audio=false
# End configuration section.

help_message="Usage: $0 [options] <srcdir> <destdir>
e.g.: $0 data/train data/train_sp
  --always-include-prefix <true|false>  # the copy at the original speed gets the prefix sp1.0- (false)
  --include-spk-prefix <true|false>     # faster and slower speakers are other speakers (true)
  --write-audio <true|false>            # into <destdir>/audio, rather than a pipe for each recording (false)"

utils=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
echo "$0 $*"
. "$utils/parse_options.sh"
if [ $# -ne 2 ]; then
  printf '%s\n' "$help_message" >&2
  exit 1
fi
source=$1 destination=$2
[ -f "$source/wav.scp" ] || { echo "$0: no such file $source/wav.scp" >&2; exit 1; }
[ ! -f "$destination/feats.scp" ] ||
  { echo "$0: $destination/feats.scp already exists: delete it if you want this to run" >&2; exit 1; }

"$utils/fix_data_dir.sh" "$source"
"$utils/get_utt2dur.sh" "$source"
audio=()
if $write_audio; then audio=(--audio-dir="$destination/audio"); fi
parts=()
for speed in 0.9 1.1; do
  "$utils/perturb_data_dir_speed.sh" --include-spk-prefix "$include_spk_prefix" "${audio[@]}" \
    "$speed" "$source" "${destination}_speed$speed"
  parts+=("${destination}_speed$speed")
done
original=$source
if $always_include_prefix; then
  original=${destination}_speed1.0
  "$utils/copy_data_dir.sh" --spk-prefix sp1.0- --utt-prefix sp1.0- "$source" "$original"
fi
"$utils/combine_data.sh" "$destination" "$original" "${parts[@]}"
if $always_include_prefix; then parts+=("$original"); fi
rm -r "${parts[@]}"
"$utils/validate_data_dir.sh" --no-feats --no-text "$destination" ||
  { echo "$0: if it is a sorting issue, try --always-include-prefix true" >&2; exit 1; }
