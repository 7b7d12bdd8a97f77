#!/usr/bin/env bash
# What has never run on a GPU, in under ten minutes: builds, runs all GPU tests, measures; one table (and logs) in $OUT.
#   bench/gpu.sh
#   PYTHON=python3 OUT=build/gpu PYCHAIN=<checkout of pychain> bench/gpu.sh
# Needs PyTorch for CUDA, Triton, numpy, typer, pybind11, setuptools, pytest, pytest-timeout and a C++ compiler; PyChain is built, from
# its source, where PYCHAIN names it and nvcc is there. A part that fails, takes too long or is left out is named in the table; the
# others go on.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
out=$(mkdir -p "${OUT:-build/gpu}" && cd "${OUT:-build/gpu}" && pwd) || exit 1
table=$out/table.txt
export PYTHONPATH=$PWD OMP_NUM_THREADS=${OMP_NUM_THREADS:-4}
failed=0

row() { # <name> <seconds> <status>
  printf '%-28s %4d s  %s\n' "$@" | tee -a "$table"
}

part() { # <seconds> <name> <command...>: the command's output into a log
  local limit=$1 name=$2 begin=$SECONDS status=done
  shift 2
  timeout "$limit" "$@" > "$out/$name.log" 2>&1 || { status="FAILED (status $?, see $out/$name.log)" failed=1; }
  row "$name" $((SECONDS - begin)) "$status"
}

"$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' ||
  { echo "$0: $python has no PyTorch that finds a CUDA GPU here" >&2; exit 1; }
"$python" -c 'import torch; print(torch.cuda.get_device_name(), "PyTorch", torch.__version__, "CUDA", torch.version.cuda)' > "$table"
part 210 build env NNET_PYTORCH_EXTENSION=required "$python" setup.py -q build_ext --inplace
if [ -z "${PYCHAIN:-}" ]; then
  row pychain 0 "left out: PYCHAIN names no checkout of it"
elif ! command -v nvcc > /dev/null; then
  row pychain 0 "left out: no nvcc to build it with"
else
  # Its graphs are made as tensors here: what reads FSTs in it, and needs OpenFst, is an empty module.
  mkdir -p "$out/pychain"
  : > "$out/pychain/simplefst.py"
  part 100 pychain "$python" -m pip install --quiet --upgrade --no-deps --no-build-isolation --target "$out/pychain" "$PYCHAIN/pytorch_binding"
  PYTHONPATH+=:$(cd "$PYCHAIN" && pwd):$out/pychain
fi
part 120 tests "$python" -m pytest -q -rs -k on_a_gpu tests/nnet3_compat/{chain/test_{chain_denominator,numerator_triton},machine/test_on_a_gpu}.py
part 150 measures "$python" bench/gpu.py
tail -n 1 "$out/tests.log" >> "$table"
cat "$out/measures.log" >> "$table"
cat "$table"
exit $failed
