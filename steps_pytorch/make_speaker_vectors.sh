#!/usr/bin/env bash
# Vectors that tell a network who speaks, in the place of online i-vectors; --help lists the options.
program=nnet-pytorch-make-speaker-vectors
. "$(dirname "${BASH_SOURCE[0]}")/lib/program.sh"
