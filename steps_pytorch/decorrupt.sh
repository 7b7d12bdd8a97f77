#!/usr/bin/env bash
# Moves noisy features of a data directory towards those that a trained model knows; --help lists the options.
program=nnet-pytorch-decorrupt
. "$(dirname "${BASH_SOURCE[0]}")/lib/program.sh"
