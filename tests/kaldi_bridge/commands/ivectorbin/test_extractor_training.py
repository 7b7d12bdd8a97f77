"""Training of universal background models and i-vector extractors, program by program beside Kaldi's.

``training/`` has features that were made up (24 utterances of 6 speakers) and what Kaldi's program of each line wrote
for the same input; random numbers are drawn as Kaldi draws them, so that these agree too. The signs of principal
components and of the i-vectors' dimensions are arbitrary.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.ivectors.model import read_model
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from tests.helpers.twins import twin

KALDI = Path(__file__).parent / "training"
LINES = {
    "0.dubm": "gmm-global-init-from-feats --num-threads=1 --num-frames=800 --num-gauss=8 --num-gauss-init=4 "
    "--num-iters=8 ark:K/feats.ark 0.dubm",
    "sel.acc": "gmm-global-acc-stats --binary=false --gselect=ark,s,cs:K/gselect.ark K/0.dubm ark:K/feats.ark sel.acc",
    "all.acc": "gmm-global-acc-stats --binary=false K/0.dubm ark:K/feats.ark all.acc",
    "sum.acc": "gmm-global-sum-accs --binary=false sum.acc K/sel.acc K/all.acc",
    "1.dubm": "gmm-global-est --binary=false --min-gaussian-weight=0.05 --mix-up=10 K/0.dubm K/sel.acc 1.dubm",
    "m.dubm": "gmm-global-est --binary=false --update-flags=m --remove-low-count-gaussians=false K/0.dubm K/sel.acc "
    "m.dubm",
    "post.ark": "gmm-global-get-post --n=3 --min-post=0.025 K/1.dubm ark:K/feats.ark ark,t:post.ark",
    "1.fgmm": "gmm-global-to-fgmm --binary=false K/1.dubm 1.fgmm",
    "0.ie": "ivector-extractor-init --binary=false --ivector-dim=3 --use-weights=false K/1.fgmm 0.ie",
    "0w.ie": "ivector-extractor-init --binary=false --ivector-dim=3 K/1.fgmm 0w.ie",
    "0.iacc": "ivector-extractor-acc-stats --binary=false K/0.ie ark:K/feats.ark ark,s,cs:K/post.ark 0.iacc",
    "0w.iacc": "ivector-extractor-acc-stats --binary=false K/0w.ie ark:K/feats.ark ark,s,cs:K/post.ark 0w.iacc",
    "1w.iacc": "ivector-extractor-acc-stats --binary=false K/1w.ie ark:K/feats.ark ark,s,cs:K/post.ark 1w.iacc",
    "2.iacc": "ivector-extractor-sum-accs --binary=false --parallel=true K/0.iacc K/0.iacc 2.iacc",
    "1.ie": "ivector-extractor-est --gaussian-min-count=20 --binary=false K/0.ie K/0.iacc 1.ie",
    "1w.ie": "ivector-extractor-est --gaussian-min-count=20 --binary=false K/0w.ie K/0w.iacc 1w.ie",
    "fsel.acc": "fgmm-global-acc-stats --binary=false --gselect=ark,s,cs:K/gselect.ark K/0.fgmm ark:K/feats.ark "
    "fsel.acc",
    "fall.acc": "fgmm-global-acc-stats --binary=false K/0.fgmm ark:K/feats.ark fall.acc",
    "fpost.acc": "fgmm-global-acc-stats-post --binary=false ark:K/post.ark 10 ark:K/feats.ark fpost.acc",
    "fsum.acc": "fgmm-global-sum-accs --binary=false fsum.acc K/fsel.acc K/fall.acc",
    "2.fgmm": "fgmm-global-est --binary=false --min-gaussian-weight=0.11 --mix-up=9 K/0.fgmm K/fsel.acc 2.fgmm",
    "3.fgmm": "fgmm-global-init-from-accs --binary=false K/fpost.acc 10 3.fgmm",
    "2.dubm": "fgmm-global-to-gmm --binary=false K/2.fgmm 2.dubm",
    "fpost.ark": "fgmm-global-gselect-to-post --min-post=0.025 K/0.fgmm ark:K/feats.ark ark,s,cs:K/gselect.ark "
    "ark,t:fpost.ark",
    "dpost.ark": "gmm-global-gselect-to-post K/0.dubm ark:K/feats.ark ark,s,cs:K/gselect.ark ark,t:dpost.ark",
    "fgselect.ark": "fgmm-gselect --n=3 K/0.fgmm ark:K/feats.ark ark,t:fgselect.ark",
    "fsome.ark": "fgmm-gselect --n=2 --gselect=ark:K/gselect.ark K/0.fgmm ark:K/feats.ark ark,t:fsome.ark",
    "f.likes": "fgmm-global-get-frame-likes K/0.fgmm ark:K/feats.ark ark,t:f.likes",
    "d.likes": "gmm-global-get-frame-likes --average=true K/0.dubm ark:K/feats.ark ark,t:d.likes",
    "1c.ie": "ivector-extractor-copy --binary=false K/1.ie 1c.ie",
    "utt.iv": "ivector-extract K/1.ie ark:K/feats.ark ark,s,cs:K/post.ark ark,t:utt.iv",
    "uttw.iv": "ivector-extract K/1w.ie ark:K/feats.ark ark,s,cs:K/post.ark ark,t:uttw.iv",
    "spk.iv": "ivector-extract --acoustic-weight=0.5 --max-count=20 --spk2utt=ark:K/spk2utt K/1.ie ark:K/feats.ark "
    "ark:K/post.ark ark,t:spk.iv",
    "mean.iv": "ivector-mean ark:K/spk2utt ark:K/utt.iv ark,t:mean.iv ark,t:mean.num",
    "mean.vec": "ivector-mean ark:K/utt.iv mean.vec",
    "norm.iv": "ivector-normalize-length ark:K/utt.iv ark,t:norm.iv",
    "cv.iv": "copy-vector --change_dim=4 --scale=2 ark:K/utt.iv ark,t:cv.iv",
    "vs.vec": "vector-scale --scale=-2 K/mean.vec vs.vec",
}
PRINTED = {
    "f.info": "fgmm-global-info K/2.fgmm",
    "d.info": "gmm-global-info K/1.dubm",
    "md.txt": "matrix-dim ark:K/feats.ark",
}
TOLERANCE = {"3.fgmm": 1e-3, "fsel.acc": 1e-4}  # Kaldi computes these in single precision
EXTRACTORS = ("1.ie", "1w.ie")
NUMBER = re.compile(r"[-+]?(\d|nan|inf)")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def status_of(line: str) -> int:
    name, *arguments = line.replace("K/", f"{KALDI}/").split()
    return run(twin(name), arguments)


def same_text(ours: str, kaldis: str, tolerance: float) -> None:
    """Words are the same, numbers within the tolerance, relative or absolute."""
    words, expected = ours.split(), kaldis.split()
    assert [w for w in words if not NUMBER.match(w)] == [w for w in expected if not NUMBER.match(w)]
    numbers, wanted = ([float(w) for w in text if NUMBER.match(w)] for text in (words, expected))
    np.testing.assert_allclose(numbers, wanted, tolerance, tolerance)


@pytest.mark.parametrize("name", [name for name in LINES if name not in (*EXTRACTORS, "0.dubm")])
def test_text_files_are_those_of_kaldi(name: str) -> None:
    assert status_of(LINES[name]) == 0
    same_text(Path(name).read_text(), (KALDI / name).read_text(), TOLERANCE.get(name, 1e-5))
    if name == "mean.iv":
        assert Path("mean.num").read_text() == (KALDI / "mean.num").read_text()


@pytest.mark.parametrize("name", PRINTED)
def test_printed_lines_are_those_of_kaldi(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(PRINTED[name]) == 0
    assert capsys.readouterr().out == (KALDI / name).read_text()


@pytest.mark.parametrize(("program", "model"), [("gmm", "0.dubm"), ("fgmm", "0.fgmm")])
def test_the_growth_of_the_objective_is_told_without_what_is_removed(
    program: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kaldi's own log lines of the same commands; it computes them in single precision."""
    acc, told = {"gmm": ("sel.acc", 0.0436163), "fgmm": ("fsel.acc", 0.151344)}[program]
    assert status_of(f"{program}-global-est --min-gaussian-weight=0.11 K/{model} K/{acc} out") == 0
    line = re.search(r"improvement is ([0-9.]+) per frame over 1291 frames", capsys.readouterr().err)
    assert line and float(line[1]) == pytest.approx(told, rel=1e-3)


def test_a_mixture_trained_in_memory_is_kaldis() -> None:
    assert status_of(LINES["0.dubm"]) == 0
    assert status_of("gmm-global-copy --binary=false 0.dubm ours") == 0
    assert status_of("gmm-global-copy --binary=false K/0.dubm kaldis") == 0
    same_text(Path("ours").read_text(), Path("kaldis").read_text(), 1e-5)


@pytest.mark.parametrize("name", EXTRACTORS)
def test_an_extractor_is_estimated_as_by_kaldi(name: str) -> None:
    assert status_of(LINES[name]) == 0
    ours, kaldis = read_model(name), read_model(str(KALDI / name))
    signs = np.sign((ours.projections * kaldis.projections).sum(axis=(0, 1)))
    np.testing.assert_allclose(ours.projections * signs, kaldis.projections, 1e-5, 1e-5)
    np.testing.assert_allclose(ours.precisions, kaldis.precisions, 1e-5, 1e-5)
    np.testing.assert_allclose(ours.prior_offset, kaldis.prior_offset, 1e-6)
    np.testing.assert_allclose(ours.weights, kaldis.weights, 1e-6)
    if kaldis.has_dependent_weights:
        np.testing.assert_allclose(ours.weight_projections * signs, kaldis.weight_projections, 1e-5, 1e-5)


def test_principal_components() -> None:
    line = "est-pca --dim=4 --normalize-variance=true --normalize-mean=true --write-full-matrix=full.mat"
    assert status_of(f"{line} ark:K/feats.ark pca.mat") == 0
    for name in ("pca.mat", "full.mat"):
        with open_input(name) as ours, open_input(str(KALDI / name)) as kaldis:
            found, expected = FLOAT_MATRIX.read(ours), FLOAT_MATRIX.read(kaldis)
        signs = np.sign((found * expected).sum(axis=1, keepdims=True))
        np.testing.assert_allclose(found * signs, expected, 1e-5, 1e-5)


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("est-pca --dim=7 ark:K/feats.ark out", 255, "greater than feature dimension 6"),
        ("est-pca ark:/dev/null out", 255, "No data accumulated"),
        ("gmm-global-init-from-feats ark:/dev/null out", 255, "no features were read"),
        ("gmm-global-init-from-feats --num-gauss=500 ark:K/feats.ark out", 255, "Too few frames"),
        ("gmm-global-acc-stats K/none ark:K/feats.ark out", 255, "K/none"),
        ("gmm-global-acc-stats K/1.dubm ark:/dev/null out", 1, "Done 0 files"),
        ("gmm-global-acc-stats --update-flags=x K/1.dubm ark:K/feats.ark out", 255, "--update-flags=x"),
        ("gmm-global-est K/1.dubm K/sel.acc out", 255, "not of this model"),
        ("gmm-global-est K/1.dubm K/0.iacc out", 255, "<GMMACCS>"),
        ("gmm-global-get-post --n=0 K/1.dubm ark:K/feats.ark ark:out", 255, "--n=0"),
        ("ivector-extractor-init --ivector-dim=0 K/1.fgmm out", 255, "no dimension"),
        ("ivector-extractor-init K/1.dubm out", 255, "<FullGMM>"),
        ("ivector-extractor-acc-stats K/0.ie ark:K/feats.ark ark:/dev/null out", 1, "No posteriors for utterance"),
        ("ivector-extractor-sum-accs K/0.iacc K/0w.iacc out", 255, "0w.iacc"),
        ("ivector-extractor-est K/0.ie K/0w.iacc out", 255, "weights that depend"),
        ("ivector-extractor-est --gaussian-min-count=1e6 K/0.ie K/0.iacc out", 255, "--gaussian-min-count"),
        ("ivector-extractor-est K/0.ie", 1, "Wrong number of arguments"),
        ("fgmm-global-acc-stats K/0.dubm ark:K/feats.ark out", 255, "<FullGMM>"),
        ("fgmm-global-acc-stats K/0.fgmm ark:/dev/null out", 1, "Done 0 files"),
        ("fgmm-global-acc-stats-post ark:/dev/null 10 ark:K/feats.ark out", 1, "No features with posteriors"),
        ("fgmm-global-est K/0.fgmm K/fpost.acc out", 255, "not of this model"),
        ("fgmm-global-init-from-accs K/fpost.acc 11 out", 255, "11 Gaussians asked for"),
        ("fgmm-global-sum-accs out K/fsel.acc K/fpost.acc", 255, "K/fpost.acc: dimension or flags mismatch"),
        ("fgmm-global-to-gmm K/none out", 255, "K/none"),
        ("gmm-global-gselect-to-post K/1.dubm ark:K/feats.ark ark:/dev/null ark:out", 1, "No gselect information"),
        ("ivector-extract K/0.ie ark:K/feats.ark ark:/dev/null ark:out", 1, "No posteriors for utterance"),
        ("ivector-mean ark:/dev/null out", 255, "No iVectors read"),
        ("copy-vector ark:K/utt.iv out", 255, "Cannot mix"),
        ("vector-scale K/none out", 255, "K/none"),
        ("matrix-dim K/none", 255, "K/none"),
    ],
)
def test_bad_input(line: str, status: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(line) == status
    assert message.replace("K/", f"{KALDI}/") in capsys.readouterr().err
    if status == 255:
        assert not Path("out").exists()


def test_features_of_another_dimension(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("wide.ark").write_text("s0-u0  [\n  1 2 3 4 5 6 7 ]\n")
    assert status_of("gmm-global-get-post K/1.dubm ark:wide.ark ark:out") == 1
    assert "Dimension mismatch for utterance s0-u0: got 7, expected 6" in capsys.readouterr().err
    assert status_of("gmm-global-acc-stats K/1.dubm ark:wide.ark acc") == 255
    Path("post").write_text("s0-u0 [ 1 1.0 ]\n")
    assert status_of("ivector-extractor-acc-stats K/0.ie ark:wide.ark ark:post acc") == 255
    assert "expected 6, got 7" in capsys.readouterr().err
    Path("narrow.ark").write_text("s0-u0  [\n  1 2 3 4 5 6 ]\n")
    Path("post").write_text("s0-u0 [ 99 1.0 ]\n")
    assert status_of("ivector-extractor-acc-stats K/0.ie ark:narrow.ark ark:post acc") == 255
    assert "Gaussian 99" in capsys.readouterr().err
    assert not Path("acc").exists()


def test_statistics_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("ivector-extractor-acc-stats K/0.ie ark:/dev/null ark:/dev/null empty") == 1
    assert status_of("ivector-extractor-est K/0.ie empty out") == 255
    assert "of no utterances" in capsys.readouterr().err
    assert not Path("out").exists()
