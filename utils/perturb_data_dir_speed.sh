#!/usr/bin/env bash
# Makes a data directory whose recordings are faster or slower than another's: arguments and options of Kaldi's
# utils/data/perturb_data_dir_speed.sh; --help lists them.
set -euo pipefail
if [ $# -ge 3 ]; then # durations are much faster to get before the pipes of the perturbation are in wav.scp
  "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/get_utt2dur.sh" "${@: -2:1}"
fi
exec nnet-pytorch-data-dir perturb-speed "$@"
