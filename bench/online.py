"""Decoding online, beside Kaldi's programs where those are on the PATH: processors' time past the start-up.

    python bench/online.py [--utterances=60] [--shared=../shared]

The online program with the reference's small network and i-vectors; then it, and nnet3-latgen-faster-looped, with an
untrained TDNN-F of the size of a real one, whose time is that of the network. Each program decodes a few utterances and
many; the difference is what a second of speech takes, in milliseconds, the best of several rounds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from beside_kaldi import ROUNDS, kaldi_has, seconds

from kaldi_bridge.io.wave import Wave
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import WAVE

ONLINE, LOOPED = "online2-wav-nnet3-latgen-faster", "nnet3-latgen-faster-looped"
FEW = 2
LAYER = "tdnnf-layer name=tdnnf{0} dim=1024 bottleneck-dim=128 bypass-scale=0.66 time-stride={1}\n"
NETWORK = """input dim=40 name=input
relu-batchnorm-layer name=tdnn1 dim=1024 input=Append(-1,0,1)
{layers}linear-component name=prefinal-l dim=192
prefinal-layer name=prefinal-chain input=prefinal-l small-dim=192 big-dim=1024
output-layer name=output include-log-softmax=false dim=72
"""


def make_configs(folder: Path, fsdd: Path, utterances: int) -> float:
    """What the programs read; returns the seconds of speech that are in the many but not in the few."""
    mfcc = (fsdd / "conf/mfcc_hires.conf").read_text() + "--dither=0\n"
    extractor = fsdd / "ivector_extractor"
    names = {"lda-matrix": "final.mat", "global-cmvn-stats": "global_cmvn.stats", "diag-ubm": "final.dubm"}
    files = {**names, "ivector-extractor": "final.ie"}
    ivectors = [f"--{name}={extractor}/{file}" for name, file in files.items()]
    ivectors += [f"--splice-config={folder}/splice.conf", f"--cmvn-config={folder}/cmvn.conf"]
    online = [f"--mfcc-config={folder}/mfcc.conf", f"--ivector-extraction-config={folder}/ivectors.conf"]
    for name, text in (
        ("mfcc", mfcc),
        ("splice", (extractor / "splice_opts").read_text().replace(" ", "\n")),
        ("cmvn", ""),
        ("ivectors", "\n".join(ivectors) + "\n"),
        ("online", "\n".join(online) + "\n"),
        ("network", NETWORK.format(layers="".join(LAYER.format(k, 1 if k < 4 else 3) for k in range(12)))),
    ):
        (folder / f"{name}.conf").write_text(text)
    waves = (fsdd / "data/test/wav.scp").read_text().splitlines()[:utterances]
    lengths = []
    with SequentialReader(f"scp:head -n {utterances} data/test/wav.scp |", WAVE) as reader:
        lengths = [wave.data.shape[1] / wave.sample_frequency for _, wave in reader if isinstance(wave, Wave)]
    for name, count in (("few", FEW), ("many", utterances)):
        keys = [line.split()[0] for line in waves[:count]]
        (folder / f"spk2utt.{name}").write_text("".join(f"{key} {key}\n" for key in keys))
        (folder / f"feats.{name}").write_text("".join((fsdd / "data/test_hires/feats.scp").open().readlines()[:count]))
    return sum(lengths[FEW:])


def make_model(folder: Path) -> None:
    commands = (
        f"nnet-pytorch-xconfig-to-config --xconfig-file={folder}/network.conf --config-dir={folder}/configs",
        f"nnet-pytorch-init {folder}/configs/final.config {folder}/large.raw",
        f"nnet-pytorch-am-init tdnnf/0.trans_mdl {folder}/large.raw {folder}/large.mdl",
    )
    for command in commands:
        subprocess.run(command.split(), check=True, stderr=subprocess.DEVNULL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=60)
    parser.add_argument("--shared", default=str(Path(__file__).resolve().parents[2] / "shared"))
    arguments = parser.parse_args()
    fsdd = Path(arguments.shared).resolve() / "reference/fsdd"
    if not fsdd.is_dir():
        sys.exit(f"needs {fsdd}")
    os.chdir(fsdd)  # paths in its .scp files begin there
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    search = "--acoustic-scale=1.0 --frame-subsampling-factor=3 --frames-per-chunk=20"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        speech = make_configs(folder, fsdd, arguments.utterances)
        make_model(folder)
        waves = f"graph/HCLG.fst ark:{folder}/spk2utt.SIZE scp:data/test/wav.scp ark:/dev/null"
        narrow = f"--beam=2 --lattice-beam=1 --min-active=20 {folder}/large.mdl"
        programs = (
            (ONLINE, "", f"--config={folder}/online.conf --beam=15 --lattice-beam=6 tdnnf/final.mdl {waves}"),
            (ONLINE, ", large network", f"--mfcc-config={folder}/mfcc.conf {narrow} {waves}"),
            (LOOPED, ", large network", f"{narrow} graph/HCLG.fst scp:{folder}/feats.SIZE ark:/dev/null"),
        )
        print(f"{'ms of processor per s of speech':<52}{'ours':>10}{'Kaldi':>10}")
        for program, network, rest in programs:
            ours = "nnet-pytorch-" + program.replace("nnet3-", "")
            figures = []
            for command in [ours, program] if kaldi_has(program) else [ours]:
                few, many = (
                    min(seconds(f"{command} {search} {rest.replace('SIZE', size)}")[1] for _ in range(ROUNDS))
                    for size in ("few", "many")
                )
                figures.append(1000 * (many - few) / speech)
            print(f"{program + network:<52}" + "".join(f"{figure:10.2f}" for figure in figures))


if __name__ == "__main__":
    main()
