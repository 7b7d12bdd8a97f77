#!/usr/bin/env bash
exec "$(dirname "${BASH_SOURCE[0]}")/../subset_data_dir.sh" "$@"
