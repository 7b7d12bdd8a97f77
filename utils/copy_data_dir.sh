#!/usr/bin/env bash
# Copies a data directory, with prefixes and suffixes of utterances and speakers: arguments and options of Kaldi's utils/copy_data_dir.sh; --help lists them.
set -euo pipefail
exec nnet-pytorch-data-dir copy "$@"
