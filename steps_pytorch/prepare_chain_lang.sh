#!/usr/bin/env bash
# Makes a lang directory with the topology of chain models, of another one; --help tells more.
set -euo pipefail
if [ -f ./path.sh ]; then . ./path.sh; fi
command -v nnet-pytorch-prepare-chain-lang >/dev/null || { echo "$0: nnet-pytorch is not installed" >&2; exit 1; }
exec nnet-pytorch-prepare-chain-lang "$@"
