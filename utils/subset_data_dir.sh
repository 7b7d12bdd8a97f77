#!/usr/bin/env bash
# Makes a data directory of some of the utterances of another: arguments and options of Kaldi's utils/subset_data_dir.sh; --help lists them.
set -euo pipefail
exec nnet-pytorch-data-dir subset "$@"
