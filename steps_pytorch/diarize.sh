#!/usr/bin/env bash
# Who speaks when, from a data directory to an RTTM file; --help lists the options.
program=nnet-pytorch-diarize
. "$(dirname "${BASH_SOURCE[0]}")/lib/program.sh"
