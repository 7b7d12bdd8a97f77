#!/usr/bin/env bash
# Puts a language model into a lang directory: arguments of Kaldi's utils/format_lm.sh; --help lists the options.
program=nnet-pytorch-format-lm
. "$(dirname "${BASH_SOURCE[0]}")/lib/program.sh"
