"""How much memory a long recording needs: nnet-pytorch-compute on one hour, above what a second needs.

    python bench/memory.py [--hours=1] [mini] [large]

The networks are those of bench/computation.py, without frame subsampling too, where the output is three times as large.
Peaks are of the whole process (ru_maxrss).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
from computation import SIZES, make_nnet

from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.model.model_file import write_model

FRAMES_PER_SECOND = 100


def peak(command: list[str]) -> float:
    """The command's highest resident memory in GB."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed with status {status}")
    return usage.ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=["mini"], help=" or ".join(SIZES))
    parser.add_argument("--hours", type=float, default=1.0)
    arguments = parser.parse_args()
    print(f"{'network':<8} {'subsampling':>11} {'1 s':>9} {f'{arguments.hours:g} h':>9} {'above':>9}   (GB)")
    with tempfile.TemporaryDirectory() as directory:
        random = np.random.default_rng(0)
        for name, frames in (("short", FRAMES_PER_SECOND), ("long", int(3600 * FRAMES_PER_SECOND * arguments.hours))):
            with TableWriter(f"ark:{directory}/{name}.ark", FLOAT_MATRIX) as writer:
                writer.write("utterance", random.standard_normal((frames, 40), np.float32))
        for size in arguments.sizes:
            write_model(f"{directory}/{size}.raw", make_nnet(size))
            for factor in (3, 1):
                command = [
                    sys.executable,
                    "-m",
                    "nnet3_compat.commands.nnet3bin.nnet3_compute",
                    f"--frame-subsampling-factor={factor}",
                ]
                short, long = (
                    peak([*command, f"{directory}/{size}.raw", f"ark:{directory}/{name}.ark", "ark:/dev/null"])
                    for name in ("short", "long")
                )
                print(f"{size:<8} {factor:>11} {short:>9.2f} {long:>9.2f} {long - short:>9.2f}")


if __name__ == "__main__":
    main()
