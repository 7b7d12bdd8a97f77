#!/usr/bin/env bash
# Trains an i-vector extractor: transform, background model and extractor in one; --help tells more.
program=nnet-pytorch-train-ivector-extractor
. "$(dirname "${BASH_SOURCE[0]}")/lib/program.sh"
