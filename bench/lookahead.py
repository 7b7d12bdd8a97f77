"""Decoding with HCLr.fst and Gr.fst: time and memory beside Kaldi's nnet3-latgen-faster-lookahead.

    bench/lookahead.py GRAPH_DIRECTORY MODEL FEATURES [OPTION...]

FEATURES is a table; options, --acoustic-scale=1.0 say, are those of both programs. Kaldi's is run where it is on
the PATH; for it, OpenFst must know olabel_lookahead, by olabel_lookahead-fst.so on the LD_LIBRARY_PATH.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from beside_kaldi import compare, kaldi_has

PROGRAM = "nnet3-latgen-faster-lookahead"


def peak_memory(command: str) -> float:
    """Largest resident memory of a command, MB."""
    process = subprocess.Popen(["bash", "-c", f"exec {command}"], stderr=subprocess.DEVNULL)
    result = os.wait4(process.pid, 0)
    if result[1] != 0:
        raise SystemExit(f"failed: {command}")
    return result[2].ru_maxrss / 1024


def main() -> None:
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    graph, model, features, *options = sys.argv[1:]
    files = [f"{graph}/{name}" for name in ("HCLr.fst", "Gr.fst", "disambig_tid.int")]
    with tempfile.TemporaryDirectory() as folder:
        rest = shlex.join([*options, model, *files, features, f"ark:{folder}/lat"])
        commands = {"decoding, with all that is read": f"{{0}}latgen-faster-lookahead {rest}"}
        if (Path(graph) / "HCLG.fst").exists():
            rest_static = shlex.join([*options, model, f"{graph}/HCLG.fst", features, f"ark:{folder}/lat"])
            commands["the same with HCLG.fst"] = f"{{0}}latgen-faster {rest_static}"
        compare(graph, commands, PROGRAM, "nnet3-")
        prefixes = ["nnet-pytorch-", "nnet3-"] if kaldi_has(PROGRAM) else ["nnet-pytorch-"]
        for name, command in commands.items():
            print(f"{name + ', peak MB':<44}", *(f"{peak_memory(command.format(prefix)):9.0f}" for prefix in prefixes))


if __name__ == "__main__":
    main()
