#!/usr/bin/env bash
# Changes the volume of the recordings of a data directory: arguments and options of Kaldi's utils/perturb_data_dir_volume.sh; --help lists them.
set -euo pipefail
exec nnet-pytorch-data-dir perturb-volume "$@"
