#!/usr/bin/env bash
# Makes a decoding graph: arguments, options and files of Kaldi's utils/mkgraph.sh; --help lists them.
program=nnet-pytorch-make-graph
. "$(dirname "${BASH_SOURCE[0]}")/lib/program.sh"
