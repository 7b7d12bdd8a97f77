#!/usr/bin/env bash
# Checks a data directory: arguments and options of Kaldi's utils/validate_data_dir.sh; --help lists them.
set -euo pipefail
exec nnet-pytorch-data-dir validate "$@"
