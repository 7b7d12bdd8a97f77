#!/usr/bin/env bash
exec "$(dirname "${BASH_SOURCE[0]}")/../get_utt2dur.sh" "$@"
