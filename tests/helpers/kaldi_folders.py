"""Directories of Kaldi's for online decoding, of the digits that Kaldi was trained on."""

from __future__ import annotations

import shutil
from pathlib import Path


def digits_folder(reference: Path, folder: Path) -> Path:
    """As prepare_online_decoding.sh lays them out: the network without i-vectors, its features normalized online."""
    kaldis = reference / "fsdd"
    (folder / "conf").mkdir(parents=True)
    shutil.copy(kaldis / "tdnnf_cmvn/final.mdl", folder)
    shutil.copy(kaldis / "chain_tree/tree", folder)
    (folder / "frame_subsampling_factor").write_text("3\n")
    conf = folder / "conf"
    (conf / "mfcc.conf").write_text((kaldis / "conf/mfcc_hires.conf").read_text() + "--dither=0\n")
    (conf / "online_cmvn.conf").write_text("--norm-vars=true\n")
    shutil.copy(kaldis / "ivector_extractor/global_cmvn.stats", conf)
    files = {"mfcc-config": "mfcc.conf", "cmvn-config": "online_cmvn.conf", "global-cmvn-stats": "global_cmvn.stats"}
    options = "".join(f"--{option}={conf / name}\n" for option, name in files.items())
    (conf / "online.conf").write_text(f"--feature-type=mfcc\n{options}--endpoint.silence-phones=1:2:3:4:5:6:7:8:9:10\n")
    return folder
