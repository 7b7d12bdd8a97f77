"""Programs of GMM systems with inputs that do not fit: the exit status is Kaldi's, and nothing is half written.

Where an assertion of Kaldi's fails (status 134), here it is an error (255).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.gmm.statistics import sum_files
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.transforms.fmllr import FmllrOptions, FmllrStatistics
from tests.helpers.twins import twin

KALDIS = Path(__file__).parent / "kaldis"

RAW = "--raw-feat-dim=5 model.mdl raw-full.mat"
# (program, arguments with {} for the output, part of the message); exit status 255, no output
ERRORS = [
    ("gmm-acc-mllt", "model.mdl ark:feats2.ark ark:ali.post {}", "utterance a-1: features of dimension 6"),
    ("est-mllt", "{} lda.acc", "lda.acc"),
    ("est-lda", "--dim=3 {} /dev/null", "/dev/null"),
    ("est-lda", "--dim=6 {} lda.acc", "--dim=6 must be positive and at most the statistics' dimension 5"),
    ("gmm-transform-means", "lda-offset.mat model.mdl {}", "lda-offset.mat: a transform of size 3 x 6"),
    ("compose-transforms", "lda.mat lda.mat {}", "A has 5 columns and B has 3 rows"),
    ("compose-transforms", "ark:fmllr.ark lda.mat {}", "the output must be a table"),
    ("gmm-post-to-gpost", "model.mdl ark:feats2.ark ark:post.ark ark:{}", "utterance a-1: features of dimension 6"),
    ("gmm-est-fmllr", "--fmllr-update-type=x model.mdl ark:feats.ark ark:post.ark ark:{}", "fMLLR update type x"),
    ("gmm-est-fmllr-gpost", "model.mdl ark:feats2.ark ark:gpost.ark ark:{}", "features of dimension 6"),
    ("gmm-acc-stats", "model.mdl ark:feats2.ark ark:post.ark {}", "features of dimension 6"),
    ("gmm-acc-stats", "--update-flags=x model.mdl ark:feats.ark ark:post.ark {}", "--update-flags=x"),
    ("gmm-acc-stats-twofeats", "model.mdl ark:feats.ark ark:vectors.ark ark:post.ark {}", "expected a matrix"),
    ("gmm-est", "--update-flags=mv model.mdl stats-m.acc {}", "statistics lack what an update of mv needs"),
    ("gmm-rescore-lattice", "model.mdl ark:lat.ark ark:feats2.ark ark:{}", "features of dimension 6"),
    ("gmm-init-model-flat", "tree topo {} ark:/dev/null", "no features were seen"),
    ("gmm-gselect", "--n=0 ubm.gmm ark:feats.ark ark:{}", "--n=0 must be positive"),
    ("gmm-gselect", "ubm.gmm ark:feats2.ark ark:{}", "features of dimension 6"),
    ("weight-silence-post", "x 1 model.mdl ark:post.ark ark:{}", "'x' is no number"),
    ("weight-silence-post", "0.0 1 flat.mdl ark:positive.acc ark:{}", "positive.acc"),
    ("scale-post", "ark:post.ark x ark:{}", "'x' is no number"),
    ("transform-vec", "full.mat ark:weights.ark ark:{}", "bad dimension 5x5 versus feat dim 130"),
    ("gmm-basis-fmllr-training", "model.mdl {} lda.acc", "lda.acc"),
    ("gmm-est-basis-fmllr", "model.mdl lda.acc ark:feats.ark ark:post.ark ark:{}", "lda.acc"),
    ("gmm-train-lvtln-special", "3 unit.lvtln {} ark:feats.ark ark:warped.ark", "there is no class 3"),
    ("gmm-train-lvtln-special", "0 unit.lvtln {} ark:feats.ark ark:feats2.ark", "do not fit together"),
    (
        "gmm-est-lvtln-trans",
        "--norm-type=full model.mdl 2.lvtln ark:feats.ark ark:gpost.ark ark:{}",
        "--norm-type=full",
    ),
    ("gmm-init-lvtln", "--num-classes=3 --default-class=5 {}", "default class 5"),
    ("gmm-ismooth-stats", "twofeats.acc stats.acc {}", "models of different sizes"),
    ("gmm-copy", "lda.acc {}", "lda.acc"),
    ("gmm-est-gaussians-ebw", "--update-flags=v model.mdl positive.acc negative.acc {}", "together with means"),
    ("gmm-est-gaussians-ebw", "--update-flags=x model.mdl positive.acc negative.acc {}", "--update-flags=x"),
    ("gmm-est-gaussians-ebw", "model.mdl stats-m.acc negative.acc {}", "lack what is to be updated"),
    ("gmm-est-gaussians-ebw", "--update-flags=m model.mdl positive.acc stats-m.acc {}", "other --update-flags"),
    ("gmm-est-gaussians-ebw", "est.mdl positive.acc negative.acc {}", "not of this model"),
    ("gmm-est-weights-ebw", "est.mdl positive.acc negative.acc {}", "not of this model"),
    ("lattice-to-mpe-post", "model.mdl ark:words.int ark:lat.ark ark:{}", "lattice a-1"),
    ("lattice-to-mpe-post", "--acoustic-scale=0 model.mdl ark:ali.ark ark:lat.ark ark:{}", "zero acoustic scale"),
    ("lattice-to-smbr-post", "--silence-phones=a model.mdl ark:ali.ark ark:lat.ark ark:{}", "--silence-phones=a"),
    (
        "post-to-phone-post",
        "--transition-id-counts=est.occs model.mdl ark:pdf.post ark:{}",
        "Wrong size for transition",
    ),
    ("post-to-phone-post", "--transition-id-counts=transitions.tacc model.mdl ark:post.ark ark:{}", "out of range"),
    ("post-to-feats", "ark:post.ark ark:{}", "--post-dim=D"),
    ("post-to-feats", "--post-dim=3 ark:post.ark ark:{}", "utterance a-1: the posterior has an index"),
    ("sum-matrices", "{} lda.mat full.mat", "full.mat: a matrix of"),
    ("get-full-lda-mat", "full.mat lda.mat {}", "lda.mat: a full LDA matrix is square"),
    ("get-full-lda-mat", "fmllr.mat full.mat {}", "fmllr.mat"),
    ("copy-gselect", "--n=-1 ark:selected.ark ark:{}", "--n=-1 must not be negative"),
    ("analyze-counts", "--frame-weights=ark:by-frame.likes ark:words.int {}", "weights for"),
    ("show-transitions", "words.int model.mdl", "words.int"),
    ("show-transitions", "phones.txt model.mdl new.occs", "counts for a model of"),
    ("build-tree-two-level", "tree.acc questions.qst questions.qst topo {} /dev/null", "questions.qst"),
    ("decode-faster", "HCLG.fst ark:weights.ark ark:{}", "expected a matrix"),
    ("decode-faster", "HCLG.fst ark:likes.ark ark:{}", "utterance a-1: the graph has a label 12"),
    ("decode-faster", "--beam=0 labels.fst ark:likes.ark ark:{}", "--beam=0.0 must be greater than zero"),
    ("gmm-latgen-biglm-faster", "model.mdl HCLG.fst tree new-lm.fst ark:feats.ark ark:{}", "tree"),
    ("gmm-latgen-biglm-faster", "model.mdl HCLG.fst old-lm.fst /dev/null ark:feats.ark ark:{}", "/dev/null"),
    (
        "gmm-est-fmllr-raw",
        f"{RAW} ark:feats.ark ark:post.ark ark:{{}}",
        "features of dimension 5, but the transform is",
    ),
    (
        "gmm-est-fmllr-raw",
        "model.mdl raw-full.mat ark:spliced.ark ark:post.ark ark:{}",
        "--raw-feat-dim=13 must divide",
    ),
    (
        "gmm-est-fmllr-raw",
        "model.mdl lda.mat ark:spliced.ark ark:post.ark ark:{}",
        "lda.mat: a full LDA+MLLT transform is",
    ),
    ("gmm-est-fmllr-raw-gpost", f"{RAW} ark:spliced.ark ark:post.ark ark:{{}}", "post.ark"),
    (
        "gmm-global-est-lvtln-trans",
        "ubm.gmm 2.lvtln ark:feats.ark ark:post.ark ark:{}",
        "a-1: posteriors of a Gaussian",
    ),
    ("gmm-global-est-lvtln-trans", "model.mdl 2.lvtln ark:feats.ark ark:ubm.post ark:{}", "model.mdl"),
    ("gmm-global-acc-stats-twofeats", "ubm.gmm ark:feats2.ark ark:feats.ark {}", "a-1: features of dimension 6"),
    ("gmm-global-acc-stats-twofeats", "ubm.gmm ark:feats.ark ark:fmllr-diag.ark {}", "frames of first and 5 of second"),
    ("fgmm-global-merge", "{} /dev/null ubm.fgmm ubm.gmm", "ubm.gmm"),
    ("fmpe-init", "--context-expansion=0,1.0:-1 ubm.gmm {}", "Mal-formed context string"),
    ("fmpe-init", "model.mdl {}", "model.mdl"),
    ("fmpe-apply-transform", "1.fmpe ark:feats2.ark ark:selected.ark ark:{}", "a-1: features of dimension 6"),
    ("fmpe-apply-transform", "ubm.gmm ark:feats.ark ark:selected.ark ark:{}", "ubm.gmm"),
    ("fmpe-sum-accs", "{} direct.fmpe-acc stats.acc", "stats.acc"),
    ("fmpe-est", "1.fmpe stats.deriv {}", "stats.deriv"),
    (
        "gmm-fmpe-acc-stats",
        "--model-derivative=stats.acc model.mdl 1.fmpe ark:feats.ark ark:selected.ark ark:post.ark {}",
        "stats.acc",
    ),
    (
        "gmm-get-stats-deriv",
        "model.mdl positive.acc negative.acc stats-m.acc {}",
        "without those of means and variances",
    ),
    ("gmm-est-rescale", "est.mdl stats.acc smoothed.acc {}", "statistics of a model of another size"),
    ("init-ubm", "est.mdl new.occs {}", "occupancies are of 8 pdfs, the model has 6"),
    ("init-ubm", "--ubm-num-gauss=5000 est.mdl est.occs {}", "at most --intermediate-num-gauss=4000"),
    ("init-ubm", "--reduce-state-factor=0.1 est.mdl est.occs {}", "leaves none of 6 states"),
    ("paste-post", "ark:lengths 3:2:1 ark:few.post ark:more.post ark:{}", "3:2:1 has 3 dimensions"),
    ("paste-post", "ark:lengths 3:x ark:few.post ark:more.post ark:{}", "colon-separated list of integers"),
    ("paste-post", "--allow-partial=true ark:lengths 1:2 ark:few.post ark:more.post ark:{}", "have an index 2"),
    ("post-to-smat", "ark:few.post ark:{}", "--dim option must be specified"),
    ("post-to-smat", "--dim=2 ark:few.post ark:{}", "utterance a-1: the posterior has an index 2"),
    ("add-deltas-sdc", "--delta-window=0 ark:fmllr.ark ark:{}", "deltas over a window of 0 frames"),
    ("add-deltas-sdc", "--truncate=9 ark:fmllr.ark ark:{}", "Cannot truncate features"),
    ("paste-vectors", "full.mat full.mat {}", "only on tables"),
    ("extend-transform-dim", "mllt.mat {}", "--new-dimension argument invalid or not specified"),
    ("extend-transform-dim", "--new-dimension=9 lda.mat {}", "lda.mat: Input matrix has unexpected dimension 3 x 5"),
    ("extend-transform-dim", "--new-dimension=9 lda.mat ark:{}", "Either none or both"),
    ("nnet3-get-egs-simple", "input ark:fmllr.ark ark:{}", "expecting a valid name before"),
    ("nnet3-get-egs-simple", "input=ark:fmllr.ark output=few.post ark:{}", "expecting an rspecifier after"),
]

# Tables in which nothing is found: exit status 1, and the empty table or the statistics of nothing.
NOTHING = [
    ("acc-lda", "model.mdl ark:/dev/null ark:ali.post {}"),
    ("acc-lda", "model.mdl ark:feats.ark ark:/dev/null {}"),
    ("gmm-acc-mllt", "model.mdl ark:/dev/null ark:ali.post {}"),
    ("gmm-post-to-gpost", "model.mdl ark:feats.ark ark:/dev/null ark:{}"),
    ("gmm-est-fmllr", "model.mdl ark:/dev/null ark:post.ark ark:{}"),
    ("gmm-est-fmllr", "--spk2utt=ark:spk2utt model.mdl ark:feats.ark ark:/dev/null ark:{}"),
    ("gmm-est-fmllr-gpost", "model.mdl ark:feats.ark ark:/dev/null ark:{}"),
    ("gmm-acc-stats", "model.mdl ark:/dev/null ark:post.ark {}"),
    ("gmm-acc-stats2", "model.mdl ark:/dev/null ark:post.ark {} /dev/null"),
    ("gmm-rescore-lattice", "model.mdl ark:lat.ark ark:/dev/null ark:{}"),
    ("gmm-gselect", "ubm.gmm ark:/dev/null ark:{}"),
    ("gmm-adapt-map", "model.mdl ark:feats.ark ark:/dev/null ark:{}"),
    ("weight-silence-post", "0.0 1 model.mdl ark:/dev/null ark:{}"),
    ("sum-post", "ark:post.ark ark:/dev/null ark:{}"),
    ("weight-post", "ark:post.ark ark:/dev/null ark:{}"),
    ("post-to-weights", "ark:/dev/null ark:{}"),
    ("gmm-est-lvtln-trans", "model.mdl 2.lvtln ark:feats.ark ark:/dev/null ark:{}"),
    ("gmm-est-fmllr-raw", f"{RAW} ark:spliced.ark ark:/dev/null ark:{{}}"),
    ("gmm-global-est-lvtln-trans", "ubm.gmm 2.lvtln ark:feats.ark ark:/dev/null ark:{}"),
    ("gmm-global-acc-stats-twofeats", "ubm.gmm ark:feats.ark ark:/dev/null {}"),
    ("fmpe-apply-transform", "1.fmpe ark:feats.ark ark:/dev/null ark:{}"),
    ("gmm-fmpe-acc-stats", "model.mdl 1.fmpe ark:feats.ark ark:selected.ark ark:/dev/null {}"),
    ("logprob-to-post", "ark:/dev/null ark:{}"),
    ("paste-post", "ark:/dev/null 3:2 ark:few.post ark:more.post ark:{}"),
    ("matrix-max", "ark:both ark:/dev/null ark:{}"),
    ("extend-transform-dim", "--new-dimension=9 ark:/dev/null ark:{}"),
    ("nnet3-get-egs-simple", "input=ark:/dev/null output=ark:fmllr.ark ark:{}"),
]


@pytest.fixture(autouse=True)
def in_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(KALDIS)


@pytest.mark.parametrize(("program", "arguments", "message"), ERRORS)
def test_errors(program: str, arguments: str, message: str, tmp_path: Path, capfd: Any) -> None:
    output = tmp_path / "output"
    assert run(twin(program), arguments.format(output).split()) == 255
    assert message in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("program", "arguments"), NOTHING)
def test_nothing_found(program: str, arguments: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    assert run(twin(program), arguments.format(output).split()) == 1
    assert output.exists()


def test_examples_of_no_rows(tmp_path: Path, capfd: Any) -> None:
    (tmp_path / "empty").write_text("a  [ ]\n")
    assert run(twin("nnet3-get-egs-simple"), [f"input=ark:{tmp_path}/empty", f"ark:{tmp_path}/output"]) == 255
    assert "utterance a: the matrix of input has no rows" in capfd.readouterr().err


def test_two_features_of_nothing(tmp_path: Path) -> None:
    output = tmp_path / "output"
    arguments = f"model.mdl ark:/dev/null ark:feats2.ark ark:post.ark {output}"
    assert run(twin("gmm-acc-stats-twofeats"), arguments.split()) == 1
    assert not output.exists()


def test_posteriors_that_cancel(tmp_path: Path, capfd: Any) -> None:
    """As in MMI training where a lattice has nothing but what was said; Kaldi's program says the same."""
    outputs = [str(tmp_path / name) for name in ("nothing.post", "num", "den")]
    cancelled = f"--zero-if-disjoint=false --scale2=-1 ark:ali.post ark:ali.post ark:{outputs[0]}"
    assert run(twin("sum-post"), cancelled.split()) == 0
    arguments = ["model.mdl", "ark:feats.ark", f"ark:{outputs[0]}", *outputs[1:]]
    assert run(twin("gmm-acc-stats2"), arguments) == 0
    assert "Done 5 files, 0 had errors." in capfd.readouterr().err
    assert sum_files(outputs[1:]).occupancy.sum() == 0.0


def test_zero_mllt_statistics(tmp_path: Path, capfd: Any) -> None:
    empty = tmp_path / "zero.macc"
    run(twin("gmm-acc-mllt"), f"model.mdl ark:/dev/null ark:ali.post {empty}".split())
    assert run(twin("est-mllt"), [str(tmp_path / "output"), str(empty)]) == 255
    assert "the statistics of 0 frames are singular" in capfd.readouterr().err


@pytest.mark.parametrize("kind", ["full", "diag", "offset"])
def test_three_frames(kind: str, tmp_path: Path, capfd: Any) -> None:
    """Unit transforms and a warning: below the minimum count, and above it where the statistics are singular."""
    spk2utt = tmp_path / "spk2utt"
    spk2utt.write_text("c a-3\n")
    for minimum, warning in ((500, "below min-count: count is 3"), (1, "singular")):
        options = f"--fmllr-update-type={kind} --fmllr-min-count={minimum} --spk2utt=ark:{spk2utt}"
        arguments = f"{options} model.mdl ark:feats.ark ark:post.ark ark:{tmp_path}/output"
        assert run(twin("gmm-est-fmllr"), arguments.split()) == 0
        heard = capfd.readouterr().err
        if kind == "full" or minimum == 500:
            assert warning in heard
            with SequentialReader(f"ark:{tmp_path}/output", FLOAT_MATRIX) as reader:
                np.testing.assert_array_equal(dict(reader)["c"], np.eye(5, 6))


def test_a_feature_that_never_varies(capfd: Any) -> None:
    statistics = FmllrStatistics(2)
    feats = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    feats[:, 1] = 1.0
    ones = np.ones((1000, 2), np.float32)
    statistics.add(feats, ones[:, 0], feats, ones)
    transform, gain = statistics.transform(FmllrOptions())
    assert gain == 0.0 and "singular" in capfd.readouterr().err
    np.testing.assert_array_equal(transform, np.eye(2, 3))


@pytest.mark.parametrize("kept", [-3, 200, 0], ids=["cut", "cut in a key", "no archive"])
def test_a_damaged_second_table_ends_the_composition(kept: int, tmp_path: Path, capfd: Any) -> None:
    """Only keys that are not there are left out."""
    second = tmp_path / "second.ark"
    whole = (KALDIS / "fmllr-gpost.ark").read_bytes()
    second.write_bytes(whole[:kept] if kept else b"x" * 64)
    arguments = f"--b-is-affine=true ark:fmllr.ark ark:{second} ark:{tmp_path}/output"
    assert run(twin("compose-transforms"), arguments.split()) == 255
    assert str(second) in capfd.readouterr().err


def test_speakers_of_transforms_that_are_composed(tmp_path: Path, capfd: Any) -> None:
    """Utterances without a speaker, or whose speaker has no transform, are left out."""
    (tmp_path / "a").write_text("u1 [ 1 0\n 0 2 ]\nu2 [ 1 0\n 0 2 ]\nu3 [ 1 0\n 0 2 ]\n")
    (tmp_path / "b").write_text("s [ 3 0\n 0 1 ]\n")
    (tmp_path / "utt2spk").write_text("u1 s\nu2 t\n")
    arguments = f"--utt2spk=ark:{tmp_path}/utt2spk ark:{tmp_path}/a ark:{tmp_path}/b ark:{tmp_path}/output"
    assert run(twin("compose-transforms"), arguments.split()) == 0
    with SequentialReader(f"ark:{tmp_path}/output", FLOAT_MATRIX) as reader:
        composed = dict(reader)
    assert list(composed) == ["u1"]
    np.testing.assert_array_equal(composed["u1"], [[3, 0], [0, 2]])
    heard = capfd.readouterr().err
    assert "No speaker provided for utterance u3" in heard and "Second table does not have key t" in heard


def test_raw_fmllr_of_features_that_are_not_numbers(tmp_path: Path, capfd: Any) -> None:
    """The unit transform, as of Kaldi's program, for that utterance alone."""
    with (
        SequentialReader("ark:spliced.ark", FLOAT_MATRIX) as reader,
        TableWriter(f"ark:{tmp_path}/spliced", FLOAT_MATRIX) as writer,
    ):
        for utterance, feats in reader:
            feats[0, 0] = np.nan if utterance == "a-1" else feats[0, 0]
            writer.write(utterance, feats)
    tables = [f"ark:{tmp_path}/spliced", "ark:gpost.ark", f"ark:{tmp_path}/made"]
    assert run(twin("gmm-est-fmllr-raw-gpost"), [*RAW.split(), *tables]) == 0
    assert "Bad data?], not updating." in capfd.readouterr().err
    with SequentialReader(f"ark:{tmp_path}/made", FLOAT_MATRIX) as transforms:
        units = [utterance for utterance, transform in transforms if np.array_equal(transform, np.eye(5, 6))]
    assert units == ["a-1", "a-3"]  # of a-3 there are too few frames
