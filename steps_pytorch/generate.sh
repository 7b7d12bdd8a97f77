#!/usr/bin/env bash
# Generates features from a trained model: new samples or those of its replay buffer, for given phones or any; --help
# lists the options.
set -euo pipefail
if [ -f ./path.sh ]; then . ./path.sh; fi
command -v nnet-pytorch-generate >/dev/null || { echo "$0: nnet-pytorch is not installed" >&2; exit 1; }
exec nnet-pytorch-generate "$@"
