#!/usr/bin/env bash
# What has never run on a GPU, in under ten minutes: builds, runs all GPU tests, measures; one table (and logs) in $OUT.
#   bench/gpu.sh
#   PYTHON=python3 OUT=build/gpu PYCHAIN=<checkout of pychain> bench/gpu.sh
# Needs PyTorch for CUDA, Triton, numpy, pybind11, setuptools, pytest, pytest-timeout and a C++ compiler; PyChain is built, from its
# source, where PYCHAIN names it and nvcc is there. A part that fails or takes too long is named in the table; the others go on.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
out=${OUT:-build/gpu}
mkdir -p "$out"
table=$out/table.txt
export PYTHONPATH=$PWD OMP_NUM_THREADS=${OMP_NUM_THREADS:-4}
failed=0

part() { # <seconds> <name> <command...>: the command's output into a log
  local limit=$1 name=$2 begin=$SECONDS status=done
  shift 2
  timeout "$limit" "$@" > "$out/$name.log" 2>&1 || { status="FAILED (status $?, see $out/$name.log)" failed=1; }
  printf '%-28s %4d s  %s\n' "$name" $((SECONDS - begin)) "$status" | tee -a "$table"
}

"$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' ||
  { echo "$0: $python has no PyTorch that finds a CUDA GPU here" >&2; exit 1; }
"$python" -c 'import torch; print(torch.cuda.get_device_name(), "PyTorch", torch.__version__, "CUDA", torch.version.cuda)' > "$table"
part 210 build env NNET_PYTORCH_EXTENSION=required "$python" setup.py -q build_ext --inplace
if [ -n "${PYCHAIN:-}" ] && command -v nvcc > /dev/null; then
  part 100 pychain "$python" -m pip install --quiet --no-deps --no-build-isolation "$PYCHAIN/openfst_binding" "$PYCHAIN/pytorch_binding" "$PYCHAIN"
fi
part 120 tests "$python" -m pytest -q -k "on_a_gpu" tests/nnet3_compat/chain
part 150 measures "$python" bench/gpu.py
cat "$out/measures.log" >> "$table"
cat "$table"
exit $failed
