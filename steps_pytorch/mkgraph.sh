#!/usr/bin/env bash
# Makes a decoding graph: arguments, options and files of Kaldi's utils/mkgraph.sh; --help lists them.
set -euo pipefail
if [ -f ./path.sh ]; then . ./path.sh; fi
command -v nnet-pytorch-make-graph >/dev/null || { echo "$0: nnet-pytorch is not installed" >&2; exit 1; }
exec nnet-pytorch-make-graph "$@"
