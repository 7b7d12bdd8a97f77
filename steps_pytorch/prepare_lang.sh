#!/usr/bin/env bash
# Makes a lang directory of a dictionary: arguments, options and files of Kaldi's utils/prepare_lang.sh; --help lists them.
program=nnet-pytorch-prepare-lang
. "$(dirname "${BASH_SOURCE[0]}")/lib/program.sh"
