"""Kaldi's steps/make_*.sh, unmodified, with nothing of Kaldi compiled: PLP, pitch, vocal tracts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from tests.helpers.kaldi_recipes import copy_recipe, kaldi_checkout, run_recipe, write_wave

RATE = 8000
DIMENSIONS = {
    "mfcc": 13, "fbank": 23, "plp": 13, "mfcc_pitch": 16, "fbank_pitch": 26, "plp_pitch": 16, "mfcc_warped": 13,
    "plp_warped": 13,
}  # fmt: skip


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe with a data directory of four recordings of two speakers."""
    recipe = copy_recipe("yesno/s5", kaldi_checkout(), tmp_path_factory.mktemp("kaldi"))
    data, random = recipe / "data/made", np.random.default_rng(0)
    data.mkdir(parents=True)
    names = ["a-1", "a-2", "b-1", "b-2"]
    for name in names:
        hum = 3000 * np.sin(2 * np.pi * random.uniform(100, 200) * np.arange(RATE) / RATE)
        write_wave(data / f"{name}.wav", (hum + 100 * random.normal(size=RATE)).astype(np.int16), RATE)
    (data / "wav.scp").write_text("".join(f"{name} {data}/{name}.wav\n" for name in names))
    (data / "utt2spk").write_text("".join(f"{name} {name[0]}\n" for name in names))
    (data / "spk2utt").write_text("a a-1 a-2\nb b-1 b-2\n")
    for kind in ("mfcc", "fbank", "plp"):
        (recipe / f"conf/{kind}.conf").write_text(f"--sample-frequency={RATE}\n--dither=0\n")
    (recipe / "conf/pitch.conf").write_text(f"--sample-frequency={RATE}\n")
    return recipe


@pytest.mark.slow
@pytest.mark.parametrize("kind", DIMENSIONS)
def test_steps(recipe: Path, kind: str) -> None:
    step = kind.removesuffix("_warped")
    warps = "printf 'a 0.9\\nb 1.1\\n' > $data/spk2warp" if "warped" in kind else "true"
    (recipe / "step.sh").write_text(
        f". ./path.sh; set -e; data=data/{kind}; rm -rf $data; cp -r data/made $data; {warps}\n"
        f"steps/make_{step}.sh --nj 2 --cmd utils/run.pl $data exp/{kind} feats\n"
    )
    run_recipe(recipe, "step.sh")
    with SequentialReader(f"scp:{recipe}/data/{kind}/feats.scp", FLOAT_MATRIX) as reader:
        feats = dict(reader)
    assert list(feats) == ["a-1", "a-2", "b-1", "b-2"]
    assert {matrix.shape for matrix in feats.values()} == {(98, DIMENSIONS[kind])}
