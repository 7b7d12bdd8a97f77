"""Of nothing: what is no number, or infinite, is printed as such, and nothing fails, as in Kaldi's programs."""

from pathlib import Path

import pytest

from kaldi_bridge.command import run
from tests.helpers.twins import twin


def test_confidence_of_no_sentences(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nothing").touch()
    assert run(twin("compute-wer-bootci"), [f"ark:{tmp_path}/nothing"] * 3) == 0
    assert capfd.readouterr().out == (
        "Set1: %WER nan 95% Conf Interval [ nan, nan ]\n"
        "Set2: %WER nan 95% Conf Interval [ nan, nan ]\n"
        "Probability of Set2 improving Set1: 0.00\n"
    )


def test_the_path_of_an_empty_lattice(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("a \n\n")
    outputs = [f"ark,t:{tmp_path}/{name}" for name in ("ali", "words", "lm", "ac")]
    assert run(twin("nbest-to-linear"), [f"ark:{tmp_path}/in", *outputs]) == 0
    read = [(tmp_path / name).read_text() for name in ("ali", "words", "lm", "ac")]
    assert read == ["a \n", "a \n", "a inf \n", "a inf \n"]
