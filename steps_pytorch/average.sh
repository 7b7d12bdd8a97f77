#!/usr/bin/env bash
# Averages models of a run of train.sh into one that decodes; --help lists the options of nnet-pytorch-average-models.
set -euo pipefail
if [ -f ./path.sh ]; then . ./path.sh; fi
command -v nnet-pytorch-average-models >/dev/null || { echo "$0: nnet-pytorch is not installed" >&2; exit 1; }
exec nnet-pytorch-average-models "$@"
