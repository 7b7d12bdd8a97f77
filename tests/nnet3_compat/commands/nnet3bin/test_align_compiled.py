"""Alignments are those of Kaldi's nnet3-align-compiled for the same graphs and features (kept in aligned/)."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, FLOAT_VECTOR, INT32_VECTOR
from tests.helpers.kaldi_recipes import copy_recipe, kaldi_checkout, run_recipe
from tests.helpers.twins import twin

KALDIS = Path(__file__).parent / "aligned"
CHAIN = ["--use-gpu=no", "--acoustic-scale=1.0", "--frame-subsampling-factor=3", "--frames-per-chunk=30"]
CASES = {
    "whole": ("text", ["--beam=10", "--retry-beam=40"]),
    "careful": ("shortened", ["--beam=10", "--retry-beam=11", "--careful=true"]),
    "loose": (
        "shortened",
        ["--beam=10", "--retry-beam=11", "--transition-scale=0.5", "--self-loop-scale=0.3"],
    ),
}


@pytest.fixture
def fsdd(reference: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(reference / "fsdd")  # paths in its .scp files begin there
    return reference / "fsdd"


@pytest.fixture
def features(fsdd: Path, tmp_path: Path) -> str:
    source = ["--utt2spk=ark:data/test_hires/utt2spk", "scp:data/test_hires/cmvn.scp", "scp:data/test_hires/feats.scp"]
    options = Path("tdnnf_cmvn/cmvn_opts").read_text().split()
    assert run(twin("apply-cmvn"), [*options, *source, f"ark:{tmp_path}/feats"]) == 0
    return f"ark:{tmp_path}/feats"


def graphs(text: Path, folder: Path) -> str:
    model = ["chain_tree/tree", "tdnnf_cmvn/final.mdl", "lang/L.fst"]
    disambig = "--read-disambig-syms=lang/phones/disambig.int"
    assert run(twin("compile-train-graphs"), [disambig, *model, f"ark:{text}", f"ark:{folder}/graphs"]) == 0
    return f"ark:{folder}/graphs"


@pytest.mark.parametrize("name", list(CASES))
def test_as_kaldi(name: str, features: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """All transition-ids and log lines; scores and likelihoods of frames to 1e-4."""
    text, options = CASES[name]
    compiled = graphs(KALDIS / text, tmp_path)
    capfd.readouterr()
    per_frame = f"--write-per-frame-acoustic-loglikes=ark:{tmp_path}/per_frame"
    outputs = [f"ark:{tmp_path}/ali", f"ark:{tmp_path}/scores"]
    main = twin("nnet3-align-compiled")
    assert run(main, [*CHAIN, *options, per_frame, "tdnnf_cmvn/final.mdl", compiled, features, *outputs]) == 0
    logged = re.findall(r"^(?:LOG|WARNING) \(.*\.py:\d+\) (.*)$", capfd.readouterr().err, re.M)
    assert logged == (KALDIS / f"{name}.log").read_text().splitlines()
    for kind, holder in (("ali", INT32_VECTOR), ("scores", FLOAT), ("per_frame", FLOAT_VECTOR)):
        made, kaldis = (
            dict(SequentialReader(f"ark:{f}", holder)) for f in (tmp_path / kind, KALDIS / f"{name}.{kind}")
        )
        assert list(made) == list(kaldis)
        for key, value in kaldis.items():
            tolerance = 0.0 if kind == "ali" else 1e-4
            np.testing.assert_allclose(made[key], value, rtol=tolerance, atol=tolerance)


def test_what_cannot_be_aligned(features: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Beams the wrong way round, a raw network, i-vectors that are missing, graphs of another model."""
    main, compiled = twin("nnet3-align-compiled"), graphs(KALDIS / "shortened", tmp_path)
    arguments = ["tdnnf_cmvn/final.mdl", compiled, features, f"ark:{tmp_path}/ali"]
    assert run(main, [*CHAIN, "--beam=10", "--retry-beam=9", *arguments]) == 255
    assert "Beams do not make sense: beam 10, retry-beam 9" in capfd.readouterr().err
    assert run(main, [*CHAIN, "tdnnf_cmvn/0.raw", *arguments[1:]]) == 255
    assert "has no transition model" in capfd.readouterr().err
    with TableWriter(f"ark:{tmp_path}/ivectors", FLOAT_VECTOR) as writer:
        writer.write("someone", np.zeros(3, np.float32))
    assert run(main, [*CHAIN, f"--ivectors=ark:{tmp_path}/ivectors", *arguments]) == 1
    logged = capfd.readouterr().err
    assert "No iVector available for utterance theo-000" in logged and "Done 0, errors on 3" in logged
    assert run(main, [*CHAIN, "tri1/final.mdl", *arguments[1:]]) == 255
    assert not (tmp_path / "ali").exists() or not (tmp_path / "ali").stat().st_size


@pytest.mark.slow
def test_kaldis_script(fsdd: Path, tmp_path: Path) -> None:
    """steps/nnet3/align.sh, unmodified, aligns as the program alone."""
    recipe = copy_recipe("yesno/s5", kaldi_checkout(), tmp_path)
    data, model = recipe / "data", recipe / "model"
    data.mkdir()
    model.mkdir()
    wanted = {line.split()[0] for line in (KALDIS / "text").read_text().splitlines()}
    speakers = {utterance.rsplit("-", 1)[0] for utterance in wanted}
    for name in ("feats.scp", "text", "utt2spk", "cmvn.scp"):
        lines = (fsdd / "data/test_hires" / name).read_text().splitlines()
        kept = [line for line in lines if line.split()[0] in (speakers if name == "cmvn.scp" else wanted)]
        (data / name).write_text("".join(f"{line}\n".replace(" data/", f" {fsdd}/data/") for line in kept))
    shutil.copytree(fsdd / "lang", recipe / "lang")
    for source in ("chain_tree/tree", "tdnnf_cmvn/final.mdl", "tdnnf_cmvn/cmvn_opts", "lang/phones.txt"):
        shutil.copy(fsdd / source, model)
    (model / "frame_subsampling_factor").write_text("3\n")
    (recipe / "align.sh").write_text(
        ". ./path.sh\nutils/utt2spk_to_spk2utt.pl data/utt2spk >data/spk2utt\n"
        "steps/nnet3/align.sh --nj 2 --use-gpu false --frames-per-chunk 30 --scale-opts "
        "'--transition-scale=1.0 --acoustic-scale=1.0 --self-loop-scale=1.0' data lang model ali\n"
    )
    assert "done aligning data" in run_recipe(recipe, "align.sh")
    made = dict(SequentialReader(f"ark:gunzip -c {recipe}/ali/ali.*.gz |", INT32_VECTOR))
    kaldis = dict(SequentialReader(f"ark:{KALDIS}/whole.ali", INT32_VECTOR))
    assert made.keys() == kaldis.keys() and all(np.array_equal(made[key], kaldis[key]) for key in kaldis)
