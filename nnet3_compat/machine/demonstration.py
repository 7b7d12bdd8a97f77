"""Recorded digits through a chain of programs under Kaldi's names, with a model and recordings that are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import decode, words
from kaldi_bridge.io.text_files import read_rows, write_rows, write_text
from nnet3_compat.machine.links import link_folder
from nnet3_compat.machine.recipes import recipes_folder

LOG = "demo.log"
FEATURES = (
    "compute-mfcc-feats --config=mfcc.conf --dither=0 --allow-downsample --allow-upsample scp:wav.scp ark:feats.ark",
    "compute-cmvn-stats ark:feats.ark ark:cmvn.ark",
)
LATTICES = r"""apply-cmvn --norm-vars=true ark:cmvn.ark ark:feats.ark ark:- |
  nnet3-compute --use-gpu=optional --frame-subsampling-factor=3 final.mdl ark:- ark:- |
  latgen-faster-mapped --acoustic-scale=1.0 --beam=15 --lattice-beam=8 final.mdl HCLG.fst ark:- ark:lat.ark"""
WORDS = "lattice-best-path ark:lat.ark ark,t:- | utils/int2sym.py -f 2- words.txt | tee words"
SCORE = "compute-wer --text --mode=present ark:text ark:words"


def lay_out(folder: Path, recordings: Sequence[str]) -> list[str]:
    """Puts the model, its graph and the recordings (none: the installed ones, with their text) into a folder.

    Returns the command lines that decode them there. Raises KaldiError for recordings that are missing, or two of the
    same name.
    """
    share = recipes_folder()
    tiny = share / "egs" / "tiny"
    wavs = [Path(name) for name in recordings] or sorted((tiny / "data" / "wav").glob("*.wav"))
    for wav in wavs:
        if not wav.is_file():
            raise KaldiError(f"{wav}: no such recording")
    names = ["_".join(words(wav.stem)) for wav in wavs]
    if len(set(names)) < len(names):
        raise KaldiError("two recordings have the same name: they are told apart by it")
    (folder / "wav").mkdir(parents=True, exist_ok=True)
    for name, wav in zip(names, wavs, strict=True):
        shutil.copyfile(wav, folder / "wav" / f"{name}.wav")
    write_text(folder / "wav.scp", "".join(f"{name} wav/{name}.wav\n" for name in names))
    shutil.copyfile(share / "egs/fsdd/conf/mfcc_hires.conf", folder / "mfcc.conf")
    for file in ("model/final.mdl", "graph/HCLG.fst", "graph/words.txt"):
        shutil.copyfile(tiny / file, folder / Path(file).name)
    said = read_rows(tiny / "data" / "text")
    write_rows(folder / "text", {name: said[name] for name in names if name in said})
    utils = folder / "utils"
    utils.unlink(missing_ok=True)
    utils.symlink_to(share / "utils")
    return [*FEATURES, LATTICES, WORDS, *([] if recordings else [SCORE])]


def run_line(folder: Path, line: str) -> str:
    """What a command line prints, in a folder; its programs are ours. What they log goes to the file ``LOG``.

    Raises KaldiError when one of them fails.
    """
    path = [str(link_folder(all_names=True)), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    environment = {**os.environ, "PATH": os.pathsep.join(path)}
    log = folder / LOG
    with open(log, "ab") as stream:
        result = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line}"],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stream,
        )  # fmt: skip
    if result.returncode:
        said = decode(log.read_bytes()[-2000:])
        raise KaldiError(f"a program failed (status {result.returncode}) in {line}\n{said}")
    return decode(result.stdout)
