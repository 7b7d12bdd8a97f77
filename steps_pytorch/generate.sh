#!/usr/bin/env bash
# Generates features from a trained model: new samples or those of its replay buffer, for given phones or any; --help
# lists the options.
program=nnet-pytorch-generate
. "$(dirname "${BASH_SOURCE[0]}")/lib/program.sh"
