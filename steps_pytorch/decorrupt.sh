#!/usr/bin/env bash
# Moves noisy features of a data directory towards those that a trained model knows; --help lists the options.
set -euo pipefail
if [ -f ./path.sh ]; then . ./path.sh; fi
command -v nnet-pytorch-decorrupt >/dev/null || { echo "$0: nnet-pytorch is not installed" >&2; exit 1; }
exec nnet-pytorch-decorrupt "$@"
