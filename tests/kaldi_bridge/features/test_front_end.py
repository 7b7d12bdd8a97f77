"""Features on their way into a GMM: what the programs in a pipe would make of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.front_end import Features, FrontEndOptions, processed
from kaldi_bridge.features.splicing import add_deltas, splice
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX
from kaldi_bridge.transforms.cmvn import apply_cmvn, compute_stats
from kaldi_bridge.transforms.linear import transform, write_transform


@pytest.fixture()
def tables(tmp_path: Path) -> Path:
    """Utterances a-1, a-2 of speaker a, and b-1 of one without statistics; a-3 has no frames."""
    random = np.random.default_rng(0)
    with (
        TableWriter(f"ark,scp:{tmp_path}/feats.ark,{tmp_path}/feats.scp", FLOAT_MATRIX) as feats,
        TableWriter(f"ark:{tmp_path}/cmvn.ark", DOUBLE_MATRIX) as cmvn,
    ):
        for utterance, frames in (("a-1", 7), ("a-2", 4), ("a-3", 0), ("b-1", 5)):
            feats.write(utterance, random.normal(3, 2, (frames, 2)))
        cmvn.write("a", compute_stats(random.normal(3, 2, (50, 2))))
    (tmp_path / "utt2spk").write_text("a-1 a\na-2 a\na-3 a\nb-1 b\n")
    return tmp_path


def test_nothing_by_default(tables: Path) -> None:
    made = dict(processed(FrontEndOptions(), f"scp:{tables}/feats.scp"))
    assert {u: f.shape for u, f in made.items()} == {"a-1": (7, 2), "a-2": (4, 2), "a-3": (0, 0), "b-1": (5, 2)}


def test_all_of_it(tables: Path, capfd: pytest.CaptureFixture[str]) -> None:
    options = FrontEndOptions(
        cmvn=f"ark:{tables}/cmvn.ark", utt2spk=f"ark:{tables}/utt2spk", norm_vars=True, delta_order=1, subsample=3
    )
    plain = dict(processed(FrontEndOptions(), f"scp:{tables}/feats.scp"))
    stats = dict(SequentialReader(f"ark:{tables}/cmvn.ark", DOUBLE_MATRIX))
    with Features(options, f"scp:{tables}/feats.scp") as features:
        expected = add_deltas(apply_cmvn(stats["a"], plain["a-1"], True), 1)[::3]
        np.testing.assert_array_equal(features.of("a-1"), expected)
        assert "a-2" in features and "c" not in features
        for utterance, problem in (("a-3", "Zero-length utterance: a-3"), ("b-1", "No normalization statistics")):
            with pytest.raises(KaldiError, match=problem):
                features.of(utterance)
    scp = "".join(line + "\n" for line in (tables / "feats.scp").read_text().splitlines() if "a-3" not in line)
    (tables / "some.scp").write_text(scp)
    assert [utterance for utterance, _ in processed(options, f"scp:{tables}/some.scp")] == ["a-1", "a-2"]
    assert "No normalization statistics available for key b-1" in capfd.readouterr().err


def test_transforms(tables: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Spliced, by one matrix for all, then by those of speakers; a speaker without one is left out."""
    random = np.random.default_rng(1)
    lda, fmllr = (random.normal(size=shape).astype(np.float32) for shape in ((3, 8), (3, 4)))
    write_transform(f"{tables}/lda.mat", lda)
    with TableWriter(f"ark:{tables}/fmllr.ark", FLOAT_MATRIX) as writer:
        writer.write("a", fmllr)
    (tables / "some.scp").write_text("".join((tables / "feats.scp").read_text().splitlines(True)[::3]))
    options = FrontEndOptions(
        utt2spk=f"ark:{tables}/utt2spk",
        left_context=2,
        right_context=1,
        transform=f"{tables}/lda.mat",
        speaker_transforms=f"ark:{tables}/fmllr.ark",
    )
    plain = dict(processed(FrontEndOptions(), f"scp:{tables}/some.scp"))
    made = dict(processed(options, f"scp:{tables}/some.scp"))
    assert list(made) == ["a-1"]
    np.testing.assert_array_equal(made["a-1"], transform(transform(splice(plain["a-1"], 2, 1), lda), fmllr))
    assert "No fMLLR transform available for utterance b-1" in capfd.readouterr().err


@pytest.mark.parametrize(
    "options", [FrontEndOptions(subsample=0), FrontEndOptions(norm_vars=True), FrontEndOptions(left_context=-1)]
)
def test_options_that_make_no_sense(tables: Path, options: FrontEndOptions) -> None:
    with pytest.raises(KaldiError, match="--"):
        list(processed(options, f"scp:{tables}/feats.scp"))
