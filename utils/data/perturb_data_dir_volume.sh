#!/usr/bin/env bash
exec "$(dirname "${BASH_SOURCE[0]}")/../perturb_data_dir_volume.sh" "$@"
