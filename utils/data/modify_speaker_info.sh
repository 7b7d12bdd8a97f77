#!/usr/bin/env bash
exec "$(dirname "${BASH_SOURCE[0]}")/../modify_speaker_info.sh" "$@"
