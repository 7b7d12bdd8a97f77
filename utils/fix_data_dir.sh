#!/usr/bin/env bash
# Sorts the files of a data directory, and keeps the utterances that all of them have: arguments and options of Kaldi's utils/fix_data_dir.sh; --help lists them.
set -euo pipefail
exec nnet-pytorch-data-dir fix "$@"
