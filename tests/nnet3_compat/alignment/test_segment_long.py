"""nnet-pytorch-segment-long-utterances on a recording joined from digits, whose text has errors and lacks parts."""

from __future__ import annotations

from pathlib import Path

import kaldialign
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.data_dirs.validation import ValidationOptions, problems_of
from nnet3_compat.commands.recognition import segment_long_utterances
from tests.helpers.kaldi_folders import Place, digits_folder, long_digits
from tests.helpers.vosk_models import with_lookahead, without_dither

LOOKAHEAD = Path(__file__).parent.parent / "commands/nnet3bin/lookahead"


def segmented(*arguments: str | Path, status: int = 0) -> None:
    assert run(segment_long_utterances.main, [str(argument) for argument in arguments]) == status


@pytest.fixture(scope="module")
def long(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Place]]:
    return long_digits(corpus, tmp_path_factory.mktemp("long"))


def found(data: Path) -> dict[str, tuple[float, float, list[str]]]:
    texts = dict(line.split(" ", 1) for line in (data / "text").read_text().splitlines())
    rows = [line.split() for line in (data / "segments").read_text().splitlines()]
    return {row[0]: (float(row[2]), float(row[3]), texts[row[0]].split()) for row in rows}


def errors(segment: Place, places: list[Place]) -> int:
    """The fewest between its words and some that follow each other where it lies."""
    start, end, words = segment
    said = [word for a, b, own in places if min(b, end) - max(a, start) > 0.12 for word in own]
    parts = [said[i:j] for i in range(len(said) + 1) for j in range(i, len(said) + 1)]
    return min(int(kaldialign.edit_distance(part, words)["total"]) for part in parts)


def test_segments_of_a_text_with_errors(
    long: tuple[Path, list[Place]], reference: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Most of what is right is kept, little of what is wrong."""
    data, places = long
    folder = digits_folder(reference, tmp_path / "online")
    segmented(f"--lang={reference}/fsdd/lang", folder, data, tmp_path / "made")
    made = found(tmp_path / "made")
    words = sum(len(words) for _, _, words in made.values())
    wrong = sum(errors(segment, places) for segment in made.values())
    written = len((data / "text").read_text().split()) - 1
    assert words > 0.6 * written and wrong <= 0.03 * words
    assert f"{len(made)} segments with {words} of {written} words" in capfd.readouterr().err
    assert not problems_of(tmp_path / "made", ValidationOptions(no_feats=True))
    ends = [segment[:2] for segment in made.values()]
    assert all(a < b <= c + 1e-6 for (a, b), (c, _) in zip(ends, [*ends[1:], (1e9, 0.0)], strict=True))
    assert (tmp_path / "made/utt2spk").read_text().endswith(" someone\n")


def test_pronunciations_inside_the_graph(
    long: tuple[Path, list[Place]], reference: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """HCLr.fst, composed with the grammar of the text; the network is a bad one."""
    data, places = long
    vosk = without_dither(reference / "fsdd/vosk", tmp_path / "vosk")
    segmented(with_lookahead(vosk, LOOKAHEAD, tmp_path / "lookahead"), data, tmp_path / "made")
    made = found(tmp_path / "made")
    words = sum(len(words) for _, _, words in made.values())
    assert words > 20 and sum(errors(segment, places) for segment in made.values()) < 0.1 * words


def test_a_graph_whose_grammar_stays(
    long: tuple[Path, list[Place]], reference: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """That of a folder for Vosk, whose network hears these digits badly."""
    data, places = long
    segmented(without_dither(reference / "fsdd/vosk", tmp_path / "vosk"), data, tmp_path / "made")
    made = found(tmp_path / "made")
    assert made and sum(errors(segment, places) for segment in made.values()) < 0.1 * sum(
        len(s[2]) for s in made.values()
    )
    (tmp_path / "other").mkdir()
    for name in ("utt2spk", "wav.scp"):
        (tmp_path / "other" / name).write_text((data / name).read_text())
    (tmp_path / "other/text").write_text("long nine nine nine\n")
    segmented(tmp_path / "vosk", tmp_path / "other", tmp_path / "nothing")
    assert "No segments: does the text belong" in capfd.readouterr().err and not (tmp_path / "nothing").exists()
    (tmp_path / "other/wav.scp").write_text("long nowhere.wav\n")
    segmented(tmp_path / "vosk", tmp_path / "other", tmp_path / "nothing", status=1)
    assert "Failed to segment long" in capfd.readouterr().err
    for option, output, message in (
        ("--min-words=3", data, "would be written over"),
        ("--min-words=0", tmp_path / "nothing", "must be positive"),
        ("--channel=-1", tmp_path / "nothing", "--channel must not be negative"),
    ):
        segmented(option, tmp_path / "vosk", data, output, status=255)
        assert message in capfd.readouterr().err
