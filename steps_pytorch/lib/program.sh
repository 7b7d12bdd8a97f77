# shellcheck shell=bash
# Sourced by a step that is one program, which $program names: runs it with the step's arguments.
set -euo pipefail
if [ -f ./path.sh ]; then . ./path.sh; fi
command -v "$program" >/dev/null || { echo "$0: nnet-pytorch is not installed: no $program on the PATH" >&2; exit 1; }
exec "$program" "$@"
