#!/usr/bin/env bash
# Makes what egs/tiny holds: wavs of synthetic digits to test with, and a small model and graph trained on others.
# The results are part of the repository, so that a demonstration runs where no recorded speech can be had.
# Needs espeak-ng and sox, and nnet-pytorch installed.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 local/make_wavs.py test data
rm data/digits
python3 local/make_wavs.py train "$work"
python3 local/train.py "$work" model graph
