#!/usr/bin/env bash
exec "$(dirname "${BASH_SOURCE[0]}")/../copy_data_dir.sh" "$@"
