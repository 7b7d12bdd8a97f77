#!/usr/bin/env bash
# Averages models of a run of train.sh into one that decodes; --help lists the options of nnet-pytorch-average-models.
program=nnet-pytorch-average-models
. "$(dirname "${BASH_SOURCE[0]}")/lib/program.sh"
