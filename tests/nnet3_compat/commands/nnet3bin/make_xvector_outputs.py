"""Makes xvector_outputs.json: a network and what Kaldi's own programs (f40076610) make of it and of small inputs.

python -m tests.nnet3_compat.commands.nnet3bin.make_xvector_outputs FOLDER-OF-KALDIS-PROGRAMS
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX

OUTPUTS = Path(__file__).with_name("xvector_outputs.json")
CONFIG = """
input-node name=input dim=6
component name=a type=NaturalGradientAffineComponent input-dim=18 output-dim=8 param-stddev=0.3 bias-stddev=0.2
component-node name=a component=a input=Append(Offset(input,-1),input,Offset(input,1))
component name=b type=RectifiedLinearComponent dim=8
component-node name=b component=b input=a
component name=c type=NaturalGradientAffineComponent input-dim=16 output-dim=7 param-stddev=0.3 bias-stddev=0.2
component-node name=c component=c input=Append(Offset(b,-3),Offset(b,2))
component name=d type=StatisticsExtractionComponent input-dim=7 include-variance=true
component-node name=d component=d input=c
component name=e type=StatisticsPoolingComponent input-dim=15 left-context=0 right-context=10000 \
num-log-count-features=1 output-stddevs=true
component-node name=e component=e input=d
component name=f type=NaturalGradientAffineComponent input-dim=15 output-dim=5 param-stddev=0.5 bias-stddev=0.2
component-node name=f component=f input=e
output-node name=output input=f
""".replace("\\\n", "")
XVECTOR, BATCHED, EGS = "nnet3-xvector-compute", "nnet3-xvector-compute-batched", "nnet3-xvector-get-egs"
COMMANDS = f"""
{XVECTOR} net ark:feats.ark ark,t:OUT
{XVECTOR} --min-chunk-size=25 --cache-capacity=8 net ark:feats.ark ark,t:OUT
{XVECTOR} --min-chunk-size=25 --chunk-size=50 net ark:feats.ark ark,t:OUT
{XVECTOR} --min-chunk-size=25 --chunk-size=50 --pad-input=false net ark:feats.ark ark,t:OUT
{XVECTOR} --min-chunk-size=3 --chunk-size=20 net ark:long.ark ark,t:OUT
{XVECTOR} net ark:wide.ark ark,t:OUT
{XVECTOR} net ark:/dev/null ark,t:OUT
{XVECTOR} missing ark:feats.ark ark,t:OUT
{BATCHED} --chunk-size=50 net ark:feats.ark ark,t:OUT
{BATCHED} --chunk-size=40 --batch-size=4 net ark:feats.ark ark,t:OUT
{BATCHED} --chunk-size=31 --batch-size=3 --pad-input=false net ark:feats.ark ark,t:OUT
{BATCHED} net ark:/dev/null ark,t:OUT
{EGS} --num-pdfs=4 ranges ark:feats.ark ark,t:OUT ark:/dev/null
{EGS} --num-pdfs=4 ranges ark:feats.ark ark:/dev/null ark,t:OUT
{EGS} --compress=false --num-pdfs=4 ranges ark:feats.ark ark:/dev/null ark,t:OUT
{EGS} --num-pdfs=4 ranges ark:feats.ark ark,t:OUT
{EGS} --num-pdfs=2 ranges ark:feats.ark ark:/dev/null ark,t:OUT
{EGS} --num-pdfs=4 bad-ranges ark:feats.ark ark,t:OUT
{EGS} --num-pdfs=4 /dev/null ark:feats.ark ark,t:OUT
""".strip().split("\n")


def make_inputs(folder: Path, network: str) -> None:
    """Writes all that the commands read."""
    random = np.random.default_rng(1)
    tables = {
        "feats.ark": {f"u{n}": random.normal(size=(n, 6)).cumsum(axis=0) / 3 for n in (12, 0, 50, 31, 99, 130, 65)},
        "long.ark": {"v": random.normal(size=(333, 6)).cumsum(axis=0) / 5},
        "wide.ark": {"w": random.normal(size=(110, 7))},
    }
    for name, entries in tables.items():
        with TableWriter(f"ark:{folder}/{name}", FLOAT_MATRIX) as writer:
            for key, value in entries.items():
                writer.write(key, value.reshape(0, 0) if not value.size else np.round(value, 3))
    texts = {
        "net": network,
        "ranges": "u12 0 7 2 5 3\nu50 1 8 40 12 0\nu12 0 7 0 13 1\nu31 0 7 3 2 1\nu65 1 8 1 4 2\nmissing 0 1 2 3 0\n",
        "bad-ranges": "u12 0 7 2 5 3\nu50 1 8 40 12\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)


def run_all(programs: Path) -> dict[str, object]:
    """The network, and by command line: exit status, and what was written."""
    made: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1"}
        (folder / "config").write_text(CONFIG)
        subprocess.run(
            [programs / "nnet3-init", "--srand=3", "--binary=false", "config", "net"], cwd=folder, check=True
        )
        made["network"] = (folder / "net").read_text()
        make_inputs(folder, (folder / "net").read_text())
        for line in COMMANDS:
            program, *words = line.split()
            done = subprocess.run([programs / program, *words], cwd=folder, capture_output=True, env=environment)
            out = folder / "OUT"
            text = out.read_text() if out.exists() else ""
            out.unlink(missing_ok=True)
            made[line] = {"status": done.returncode, "text": text if done.returncode == 0 else ""}
    return made


if __name__ == "__main__":
    OUTPUTS.write_text(json.dumps(run_all(Path(sys.argv[1])), indent=0) + "\n")
