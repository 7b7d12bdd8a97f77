#!/usr/bin/env bash
# Makes speakers of a few utterances each: arguments and options of Kaldi's utils/data/modify_speaker_info.sh; --help lists them.
set -euo pipefail
exec nnet-pytorch-data-dir modify-speaker-info "$@"
