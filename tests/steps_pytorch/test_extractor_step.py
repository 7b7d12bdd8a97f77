"""The step that trains an i-vector extractor, on made-up features, in a directory whose name a shell would execute."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.ivectors.options import IvectorOptions, IvectorSetup
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX
from tests.helpers.places import STEPS


@pytest.fixture()
def data(tmp_path: Path) -> Path:
    """Three speakers, two utterances of each."""
    random, folder = np.random.default_rng(1), tmp_path / "it's $(touch EXECUTED) `touch EXECUTED`; ü & b"
    folder.mkdir(parents=True)
    speakers = [f"s{i}" for i in range(3)]
    with (
        TableWriter(f"ark,scp:{tmp_path}/f.ark,{folder}/feats.scp", FLOAT_MATRIX) as feats,
        TableWriter(f"ark,scp:{tmp_path}/c.ark,{folder}/cmvn.scp", DOUBLE_MATRIX) as cmvn,
    ):
        for speaker in speakers:
            own = [np.cumsum(random.standard_normal((1500, 4)), axis=0) * 0.2 for _ in range(2)]
            frames = np.concatenate(own)
            sums = np.stack([[*frames.sum(axis=0), 3000], [*(frames**2).sum(axis=0), 0]])
            cmvn.write(speaker, sums)
            for number, matrix in enumerate(own):
                feats.write(f"{speaker}-{number}", matrix)
    (folder / "spk2utt").write_text("".join(f"{s} {s}-0 {s}-1\n" for s in speakers))
    (folder / "utt2spk").write_text("".join(f"{s}-{n} {s}\n" for s in speakers for n in range(2)))
    return folder


def step(tmp_path: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", OMP_NUM_THREADS="1")
    command = [str(STEPS / "train_ivector_extractor.sh"), *map(str, arguments)]
    return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)


def test_train_ivector_extractor(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "extractor"
    options = "--dim 5 --pca-subsample 1 --ivector-dim 3 --num-iters 2 --num-iters-init 4 --nj 2 --splice-opts"
    result = step(tmp_path, *options.split(), "--left-context=1 --right-context=1", data, 3, folder)
    assert result.returncode == 0, result.stderr
    names = {"0.ie", "final.ie", "final.dubm", "final.mat", "global_cmvn.stats", "splice_opts", "online_cmvn.conf"}
    assert {p.name for p in folder.iterdir()} == names - {"0.ie"} | {"2.ie"}
    (tmp_path / "splice.conf").write_text("--left-context=1\n--right-context=1\n")
    setup = IvectorSetup(
        IvectorOptions(
            lda_matrix=f"{folder}/final.mat",
            global_cmvn_stats=f"{folder}/global_cmvn.stats",
            cmvn_config=f"{folder}/online_cmvn.conf",
            splice_config=f"{tmp_path}/splice.conf",
            diag_ubm=f"{folder}/final.dubm",
            ivector_extractor=f"{folder}/final.ie",
        )
    )
    assert (setup.extractor.dim, setup.extractor.num_gaussians, setup.extractor.feature_dim) == (3, 3, 5)
    before = (folder / "2.ie").read_bytes()
    result = step(tmp_path, "--stage", 2, "--num-iters", 3, data, 3, folder)
    assert result.returncode == 0, result.stderr
    assert not list(tmp_path.rglob("EXECUTED"))
    assert (folder / "final.ie").resolve().name == "3.ie" and (folder / "3.ie").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dim", 5, "DATA", 0), "Bad num-gauss 0"),
        (("--dim", 99, "DATA", 4), "greater than feature dimension 28"),
        (("--dim", 5, "DATA", 2000), "Too few frames"),
        (("--splice-opts", "--left=1", "DATA", 4), "splice_opts"),
        (("--transform-dir", "nowhere", "DATA", 4), "nowhere"),
        (("nowhere", 4), "nowhere/feats.scp"),
    ],
)
def test_bad_input(arguments: tuple[object, ...], message: str, data: Path, tmp_path: Path) -> None:
    given = [data if argument == "DATA" else argument for argument in arguments]
    result = step(tmp_path, *given, tmp_path / "extractor")
    assert result.returncode == 255
    assert message in result.stderr
    assert not (tmp_path / "extractor" / "final.ie").exists()
