#!/usr/bin/env bash
# Splits a data directory for parallel jobs, into <data-dir>/split<N> or, with --per-utt, split<N>utt: arguments and options of Kaldi's utils/split_data.sh; --help lists them.
set -euo pipefail
exec nnet-pytorch-data-dir split "$@"
