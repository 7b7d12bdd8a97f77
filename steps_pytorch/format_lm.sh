#!/usr/bin/env bash
# Puts a language model into a lang directory: arguments of Kaldi's utils/format_lm.sh; --help lists the options.
set -euo pipefail
if [ -f ./path.sh ]; then . ./path.sh; fi
command -v nnet-pytorch-format-lm >/dev/null || { echo "$0: nnet-pytorch is not installed" >&2; exit 1; }
exec nnet-pytorch-format-lm "$@"
