#!/usr/bin/env bash
# Makes a lang directory of a dictionary: arguments, options and files of Kaldi's utils/prepare_lang.sh; --help lists them.
set -euo pipefail
if [ -f ./path.sh ]; then . ./path.sh; fi
command -v nnet-pytorch-prepare-lang >/dev/null || { echo "$0: nnet-pytorch is not installed" >&2; exit 1; }
exec nnet-pytorch-prepare-lang "$@"
