#!/usr/bin/env bash
# Makes one data directory of several: arguments and options of Kaldi's utils/combine_data.sh; --help lists them.
set -euo pipefail
exec nnet-pytorch-data-dir combine "$@"
