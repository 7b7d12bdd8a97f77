#!/usr/bin/env bash
exec "$(dirname "${BASH_SOURCE[0]}")/../validate_data_dir.sh" "$@"
