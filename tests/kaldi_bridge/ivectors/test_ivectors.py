"""I-vectors: the formulas on a made-up extractor, and those that Kaldi extracted of real speech."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import run
from kaldi_bridge.commands.online2bin import ivector_extract_online2
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.pruned_posteriors import pruned_posteriors
from kaldi_bridge.io.basic_io import write_double, write_header, write_int32, write_token
from kaldi_bridge.io.matrix_io import pack_symmetric, write_matrix, write_packed, write_vector
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.ivectors.estimation import IvectorStatistics
from kaldi_bridge.ivectors.extractor import IvectorExtractor, read_extractor
from kaldi_bridge.ivectors.online import IvectorSpeaker, OnlineIvectors
from kaldi_bridge.ivectors.options import IvectorOptions, IvectorSetup
from kaldi_bridge.ivectors.randomization import randomized
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX

DIM, BASE, IVECTOR, GAUSSIANS, OFFSET = 5, 4, 6, 8, 3.0


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def matrices(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """M and S^-1 of a made-up extractor."""
    means = random.normal(size=(GAUSSIANS, DIM, IVECTOR))
    roots = random.normal(size=(GAUSSIANS, DIM, DIM))
    return means, roots @ roots.transpose(0, 2, 1) + np.eye(DIM)


def write_extractor(path: Path, matrices: tuple[np.ndarray, np.ndarray], binary: bool, dependent: bool = False) -> None:
    means, precisions = matrices
    with open_output(str(path)) as stream:
        write_header(stream, binary)
        write_token(stream, binary, "<IvectorExtractor>")
        write_token(stream, binary, "<w>")
        write_matrix(stream, binary, np.ones((GAUSSIANS, IVECTOR)) if dependent else np.zeros((0, 0)))
        write_token(stream, binary, "<w_vec>")
        write_vector(stream, binary, np.full(len(means), 1.0 / len(means)))
        write_token(stream, binary, "<M>")
        write_int32(stream, binary, len(means))
        for m in means:
            write_matrix(stream, binary, m)
        write_token(stream, binary, "<SigmaInv>")
        for p in precisions:
            write_packed(stream, binary, pack_symmetric(p))
        write_token(stream, binary, "<IvectorOffset>")
        write_double(stream, binary, OFFSET)
        write_token(stream, binary, "</IvectorExtractor>")


@pytest.mark.parametrize("binary", [True, False])
def test_files(binary: bool, matrices: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    write_extractor(tmp_path / "final.ie", matrices, binary)
    found, expected = read_extractor(str(tmp_path / "final.ie")), IvectorExtractor.of_matrices(*matrices, OFFSET)
    np.testing.assert_allclose(found.linear, expected.linear, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.quadratic, expected.quadratic, rtol=1e-4, atol=1e-4)
    assert (found.dim, found.feature_dim, found.num_gaussians) == (IVECTOR, DIM, GAUSSIANS)
    data = (tmp_path / "final.ie").read_bytes()
    (tmp_path / "cut.ie").write_bytes(data[: len(data) // 2])
    with pytest.raises(KaldiError):
        read_extractor(str(tmp_path / "cut.ie"))
    write_extractor(tmp_path / "weights.ie", matrices, binary, dependent=True)
    with pytest.raises(KaldiError, match="depend on the i-vector"):
        read_extractor(str(tmp_path / "weights.ie"))


def test_most_likely_ivector(matrices: tuple[np.ndarray, np.ndarray], random: np.random.Generator) -> None:
    """The maximum of prior times likelihood, to which the terms of every frame are summed by their definition."""
    extractor = IvectorExtractor.of_matrices(*matrices, OFFSET)
    feats, posteriors = (
        random.normal(size=(20, DIM)).astype(np.float32),
        (random.random((20, GAUSSIANS)) * (random.random((20, GAUSSIANS)) < 0.3)).astype(np.float32),
    )
    quadratic, linear = np.eye(IVECTOR), OFFSET * np.eye(1, IVECTOR)[0]
    for x, weights in zip(feats, posteriors, strict=True):
        for weight, m, precision in zip(weights, *matrices, strict=True):
            quadratic += weight * m.T @ precision @ m
            linear += weight * m.T @ precision @ x
    statistics = IvectorStatistics(IVECTOR, OFFSET, 0.0)
    assert np.array_equal(statistics.ivector(np.zeros(IVECTOR)), OFFSET * np.eye(1, IVECTOR)[0])
    statistics.accumulate(extractor, feats, posteriors)
    found = statistics.ivector(statistics.default())
    np.testing.assert_allclose(found, np.linalg.solve(quadratic, linear), rtol=1e-8)
    assert statistics.count == pytest.approx(posteriors.sum())
    assert statistics.improvement(found) > 0

    limited = IvectorStatistics(IVECTOR, OFFSET, 0.0)  # as if each frame had counted half
    limited.accumulate(extractor, feats, posteriors)
    limited.limit(statistics.count / 2)
    half = IvectorStatistics(IVECTOR, OFFSET, 0.0)
    half.accumulate(extractor, feats, posteriors / 2)
    np.testing.assert_allclose(limited.ivector(half.default()), half.ivector(half.default()), rtol=1e-8)

    # More than max_count is as data scaled down to it, also after limiting.
    many = IvectorStatistics(IVECTOR, OFFSET, statistics.count / 4)
    many.accumulate(extractor, feats, posteriors)
    quarter = IvectorStatistics(IVECTOR, OFFSET, 0.0)
    quarter.accumulate(extractor, feats, posteriors / 4)
    np.testing.assert_allclose(many.ivector(many.default()), quarter.ivector(many.default()), rtol=1e-8)
    many.limit(statistics.count / 3)
    np.testing.assert_allclose(many.ivector(many.default()), quarter.ivector(many.default()), rtol=1e-8)


def test_conjugate_gradients(random: np.random.Generator) -> None:
    root = random.normal(size=(30, 30))
    a, b = root @ root.T + np.eye(30), random.normal(size=30)
    few, many = (_csrc.conjugate_gradients(pack_symmetric(a), b, np.zeros(30), n) for n in (5, 35))
    exact = np.linalg.solve(a, b)
    assert np.linalg.norm(many - exact) < 1e-6 < np.linalg.norm(few - exact)
    at_once = _csrc.conjugate_gradients(pack_symmetric(a), a @ np.ones(30), np.ones(30), 15)
    np.testing.assert_allclose(at_once, np.ones(30), rtol=1e-12)


def test_posteriors_by_definition(random: np.random.Generator) -> None:
    scores = random.normal(scale=3.0, size=(50, 12)).astype(np.float32)
    least = np.where(np.arange(50) % 2, 0.025, 0.2).astype(np.float32)
    found, likelihoods = pruned_posteriors(scores, 4, least)
    for t, row in enumerate(scores):
        likely = {g: np.exp(s - row.max()) for g, s in enumerate(row) if s > row.max() + np.log(least[t])}
        best = dict(sorted(likely.items(), key=lambda item: -item[1])[:4])
        total, cutoff = sum(best.values()), least[t] * sum(best.values())
        for g in sorted(best, key=best.__getitem__):
            if len(best) > 1 and best[g] < cutoff:
                total -= best.pop(g)
        np.testing.assert_allclose(found[t], [best.get(g, 0) / total for g in range(12)], atol=1e-6)
        assert likelihoods[t] == pytest.approx(row.max() + np.log(total), abs=1e-5)
    assert np.count_nonzero(pruned_posteriors(scores, 20, np.zeros(50))[0]) == scores.size


def test_randomized() -> None:
    rows = np.arange(40.0).reshape(40, 1)
    assert np.array_equal(randomized(rows, 0.0, CRandom(1)), rows)
    mixed = randomized(rows, 0.5, CRandom(1))
    assert (mixed >= rows).all() and 8 < np.count_nonzero(mixed != rows) < 30


@pytest.fixture
def options(matrices: tuple[np.ndarray, np.ndarray], random: np.random.Generator, tmp_path: Path) -> IvectorOptions:
    """The files of a made-up extractor of features with BASE dimensions."""
    write_extractor(tmp_path / "final.ie", matrices, True)
    mixture = Mixtures(
        np.array([0, GAUSSIANS]), np.full(GAUSSIANS, 1 / GAUSSIANS), random.normal(size=(GAUSSIANS, DIM)),
        random.random((GAUSSIANS, DIM)) + 0.5,
    )  # fmt: skip
    with open_output(str(tmp_path / "all")) as stream:
        write_header(stream, True)
        mixture.write(stream, True)
    data = (tmp_path / "all").read_bytes()
    (tmp_path / "final.dubm").write_bytes(b"\0B" + data[data.index(b"<DiagGMM>") :])
    feats = random.normal(size=(100, BASE))
    stats = np.zeros((2, BASE + 1))
    stats[0], stats[1, :-1] = np.append(feats.sum(0), 100), (feats**2).sum(0)
    for name, matrix in (("final.mat", random.normal(size=(DIM, 3 * BASE))), ("global_cmvn.stats", stats)):
        with open_output(str(tmp_path / name)) as stream:
            write_header(stream, True)
            write_matrix(stream, True, matrix)
    (tmp_path / "splice.conf").write_text("--left-context=1\n--right-context=1\n")
    (tmp_path / "cmvn.conf").write_text("--cmn-window=30\n--speaker-frames=20\n--global-frames=10\n")
    names = ["final.mat", "global_cmvn.stats", "cmvn.conf", "splice.conf", "final.dubm", "final.ie"]
    found = [str(tmp_path / name) for name in names]
    return IvectorOptions(found[0], found[1], found[2], False, found[3], found[4], found[5], max_remembered_frames=25)


def by_parts(setup: IvectorSetup, speaker: IvectorSpeaker, feats: np.ndarray, size: int) -> np.ndarray:
    """An i-vector for each frame, asked for as soon as it is ready."""
    online, rows = OnlineIvectors(setup, speaker), []
    for start in range(0, len(feats), size):
        online.extend(feats[start : start + size], last=start + size >= len(feats))
        rows += [online.at(t) for t in range(len(rows), online.num_ready)]
    online.end()
    return np.stack(rows)


@pytest.mark.parametrize("recent", [False, True])
def test_in_parts_as_at_once(options: IvectorOptions, recent: bool, random: np.random.Generator) -> None:
    """Also the next utterance of the speaker, which knows of the first."""
    options.use_most_recent_ivector = recent
    options.ivector_period = 4
    setup = IvectorSetup(options)
    utterances = [random.normal(size=(length, BASE)).astype(np.float32) for length in (33, 18)]
    results = []
    for size in (100, 1, 7):
        speaker = IvectorSpeaker(setup)
        results.append([by_parts(setup, speaker, feats, size) for feats in utterances])
    for other in results[1:]:
        for first, again in zip(results[0], other, strict=True):
            np.testing.assert_allclose(first, again, atol=1e-4)
    alone = by_parts(setup, IvectorSpeaker(setup), utterances[1], 100)
    assert np.abs(alone - results[0][1]).max() > 0.01
    if not recent:
        assert np.array_equal(results[0][0][4:8], results[0][0][[4]].repeat(4, axis=0))


@pytest.mark.parametrize("recent", [True, False])
def test_memory_does_not_grow(options: IvectorOptions, recent: bool, random: np.random.Generator) -> None:
    """Frames that are counted, and i-vectors that were asked for, are not kept: of a long recording either."""
    options.use_most_recent_ivector = recent
    setup = IvectorSetup(options)
    online = OnlineIvectors(setup, IvectorSpeaker(setup))

    def hear(pieces: int) -> int:
        for _ in range(pieces):
            online.extend(random.normal(size=(50, BASE)).astype(np.float32), last=False)
            online.at(online.num_ready - 1)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        hear(13)  # by then the window of the normalization is full
        assert -hear(1) + hear(13) < 20_000  # bytes
    finally:
        tracemalloc.stop()


def test_weights_that_change(options: IvectorOptions, random: np.random.Generator) -> None:
    """Frames that turn out to weigh nothing leave what the others give."""
    setup = IvectorSetup(options)
    feats = random.normal(size=(12, BASE)).astype(np.float32)
    final = [1.0, 0.0] * 6
    online = OnlineIvectors(setup, IvectorSpeaker(setup))
    online.weigh(enumerate([1.0] * 12))
    online.extend(feats, last=True)
    online.at(7)
    online.weigh((t, -1.0) for t in range(1, 12, 2))
    changed = online.at(11)
    fixed = OnlineIvectors(setup, IvectorSpeaker(setup))
    fixed.weigh(enumerate(final))
    fixed.extend(feats, last=True)
    np.testing.assert_allclose(changed, fixed.at(11), atol=1e-4)
    late = OnlineIvectors(setup, IvectorSpeaker(setup))
    late.extend(feats, last=True)
    late.at(3)
    assert np.abs(changed - late.at(11)).max() > 1e-3
    with pytest.raises(KaldiError, match="before their weights"):
        late.weigh([(4, 1.0)])


def test_nonsense(options: IvectorOptions) -> None:
    for name, value in (("ivector_period", 0), ("posterior_scale", 2.0), ("min_post", 0.5), ("diag_ubm", "")):
        wrong = IvectorOptions(**{**vars(options), name: value})
        with pytest.raises(KaldiError, match=name.replace("_", "-")):
            IvectorSetup(wrong)
    Path(options.splice_config).write_text("--left-context=2\n--right-context=2\n")
    with pytest.raises(KaldiError, match="12 columns, but spliced features 20"):
        IvectorSetup(options)


def read(path: Path) -> dict[str, np.ndarray]:
    return dict(SequentialReader(f"ark:{path}", FLOAT_MATRIX))


def config(extractor: Path, folder: Path) -> Path:
    """The options of Kaldi's extract_ivectors_online.sh."""
    (folder / "splice.conf").write_text((extractor / "splice_opts").read_text().replace(" ", "\n"))
    (folder / "cmvn.conf").write_text("")
    lines = [f"--splice-config={folder}/splice.conf", f"--cmvn-config={folder}/cmvn.conf"]
    for option, name in (
        ("lda-matrix", "final.mat"), ("global-cmvn-stats", "global_cmvn.stats"), ("diag-ubm", "final.dubm"),
        ("ivector-extractor", "final.ie"),
    ):  # fmt: skip
        lines.append(f"--{option}={extractor}/{name}")
    (folder / "ivector.conf").write_text("\n".join(lines) + "\n")
    return folder / "ivector.conf"


def test_kaldis_ivectors(reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All utterances of two speakers, each knowing of those before. Kaldi's are stored in bytes: 1/255 of the range."""
    monkeypatch.chdir(reference / "fsdd")
    settings = config(reference / "fsdd/ivector_extractor", tmp_path)
    tables = ["ark:data/test_hires/spk2utt", "scp:data/test_hires/feats.scp", f"ark:{tmp_path}/ivectors.ark"]
    assert run(ivector_extract_online2.main, [f"--config={settings}", *tables]) == 0
    found, expected = read(tmp_path / "ivectors.ark"), read(Path("ivectors_test/ivector_online.ark"))
    assert found.keys() == expected.keys()
    for key, ivectors in expected.items():
        step = (ivectors.max() - ivectors.min()) / 255
        np.testing.assert_allclose(found[key], ivectors, atol=max(step, 1e-3), err_msg=key)


def test_damaged_features_end_the_extraction(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Features that are cut off or too narrow; only utterances that are not there are left out."""
    monkeypatch.chdir(reference / "fsdd")
    settings = config(reference / "fsdd/ivector_extractor", tmp_path)
    (tmp_path / "spk2utt").write_text("s b a\n")
    for text, message in (("b [ 1 2", "feats"), ("b [ 1 2 ]\na [ 1 2 ]\n", "utterance b: ")):
        (tmp_path / "feats").write_text(text)
        tables = [f"ark:{tmp_path}/spk2utt", f"ark:{tmp_path}/feats", f"ark:{tmp_path}/ivectors.ark"]
        assert run(ivector_extract_online2.main, [f"--config={settings}", *tables]) == 255
        assert message in capfd.readouterr().err.splitlines()[-1]


def test_utterances_that_are_left_out(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(reference / "fsdd")
    settings = config(reference / "fsdd/ivector_extractor", tmp_path)
    (tmp_path / "spk2utt").write_text("theo theo-000 nobody theo-001\n")
    (tmp_path / "weights").write_text("theo-000 [ 1 1 ]\ntheo-001 [ " + "1 " * 400 + "]\n")
    tables = [f"ark:{tmp_path}/spk2utt", "scp:data/test_hires/feats.scp", f"ark:{tmp_path}/ivectors.ark"]
    assert run(ivector_extract_online2.main, [f"--config={settings}", "--repeat=true", *tables]) == 0
    assert "No i-vectors for utterance nobody: Did not find features" in capfd.readouterr().err
    repeated = read(tmp_path / "ivectors.ark")
    assert list(repeated) == ["theo-000", "theo-001"] and len(repeated["theo-000"]) > 100
    more = ["--length-tolerance=1000", f"--frame-weights-rspecifier=ark:{tmp_path}/weights"]
    assert run(ivector_extract_online2.main, [f"--config={settings}", *more, *tables]) == 0
    weighted = read(tmp_path / "ivectors.ark")
    assert np.array_equal(
        weighted["theo-000"][-1], weighted["theo-000"][1]
    )  # nothing after the first two frames counts
    assert run(ivector_extract_online2.main, [f"--config={settings}", more[1], *tables]) == 1
