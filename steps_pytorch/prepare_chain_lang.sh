#!/usr/bin/env bash
# Makes a lang directory with the topology of chain models, of another one; --help tells more.
program=nnet-pytorch-prepare-chain-lang
. "$(dirname "${BASH_SOURCE[0]}")/lib/program.sh"
