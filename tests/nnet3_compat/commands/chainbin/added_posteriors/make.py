"""Makes a network, a denominator graph and chain examples, and kaldi.json: what Kaldi's own program, on the PATH, adds.

PYTHONPATH=. python tests/nnet3_compat/commands/chainbin/added_posteriors/make.py
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.helpers.bad_entries import Inputs
from tests.helpers.kaldis_outputs import make_cases

PROGRAM = "nnet3-chain-add-post-to-egs"
FILES = ["nnet.raw", "den.fst", "ark:chain.egs", "ark,t:OUT/egs"]
OPTIONS = [
    "--type=raw",
    "--apply-exp=false",
    "--type=den",
    "--type=den --leaky-hmm-coefficient=0.2",
    "--type=den --leaky-hmm-coefficient=0.2 --clip-threshold=0.2",
    "--type=den --batchnorm-test-mode=true --dropout-test-mode=true",
]
CALLS = [[PROGRAM, "--use-gpu=no", *options.split(), *FILES] for options in OPTIONS]
CALLS += [[PROGRAM, *FILES[:2], "ark:none", FILES[3]], [PROGRAM, *FILES[:3]]]


def write_inputs(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:

        def run(line: str) -> None:
            program, *arguments = line.split()
            ours = Path(sys.executable).with_name("nnet-pytorch-" + program.removeprefix("nnet3-"))
            subprocess.run([ours, *arguments], cwd=name, check=True, capture_output=True)

        Inputs(Path(name), run)
        for file in ("nnet.raw", "den.fst", "chain.egs"):
            shutil.copy(Path(name) / file, folder)
    (folder / "none").write_text("")


if __name__ == "__main__":
    write_inputs(Path(__file__).parent)
    make_cases(Path(__file__).parent, CALLS)
