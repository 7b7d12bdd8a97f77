#!/usr/bin/env bash
# Makes a dictionary directory with probabilities of pronunciations and silence: arguments and options of Kaldi's utils/dict_dir_add_pronprobs.sh; --help lists them.
set -euo pipefail
exec nnet-pytorch-dict-dir-add-pronprobs "$@"
