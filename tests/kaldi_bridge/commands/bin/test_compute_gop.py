"""Goodness of pronunciation beside what Kaldi's compute-gop wrote (gop/make.py), and input that does not do."""

from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.bin.compute_gop import main as compute_gop
from tests.helpers.kaldis_outputs import Case, assert_as_kaldi, enter_copy, name_of, read_cases

DATA = Path(__file__).parent / "gop"
CASES = read_cases(DATA)
OUTPUTS = ["ark,t:OUT/gop", "ark,t:OUT/feats"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_copy(DATA, tmp_path, monkeypatch)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_as_kaldi(case: Case, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert_as_kaldi(case, folder)
    log = capfd.readouterr().err
    assert case["log"][-1] in log
    if case["status"] == 0:
        assert "No phoneme alignment for utterance d" in log
        assert "No transition alignment for utterance e" in log
        assert "The frame numbers of alignment and prob are not equal." in log


def test_phones_as_they_are_without_a_map() -> None:
    """Where Kaldi's program ends with an assertion."""
    assert run(compute_gop, ["model", "ark:ali", "ark:phones", "ark:logs", *OUTPUTS]) == 0
    first = Path("OUT/feats").read_text().split("\n")[0]
    assert first.startswith("a.0  [ 1 -10 ")
    assert len(first.split()) == 3 + 1 + 2 * 6


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"logs": "a  [\n 1 2 ]\n"}, [], "utterance a: probabilities of 2 pdfs, but the model has 5"),
        ({"ali": "a 2\n"}, [], "utterance a: 1 frames of transition-ids for"),
        ({"ali": "a 99\n"}, [], "utterance a: "),
        ({"phones": "a 1 1 1 1 1 1 1 1 1 1 9 9 9\n"}, [], "the phone map has no line for phone 9"),
        ({"map": "1 1\n"}, [], "the phone map has no line for phone 2"),
        ({"map": "1 x\n"}, [], "map"),
        ({"phones": "a\n"}, [], "utterance a: no frames"),
        ({"phones": "a 1 1 1 1 1 1 1 1 1 1 9 9 9\n"}, ["--phone-map="], "the model does not have phone 9"),
        ({}, ["--skip_phones_string=7"], "skipped phones [7] are not all among the 5 phones"),
        ({}, ["--skip_phones_string=a"], "--skip_phones_string=a should be a colon-separated list of integers"),
        ({"model": ""}, [], "model"),
    ],
)
def test_input_that_does_not_do(
    files: dict[str, str], options: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, content in files.items():
        Path(name).write_text(content)
    arguments = ["--phone-map=map", *options, "model", "ark:ali", "ark:phones", "ark:logs", *OUTPUTS]
    assert run(compute_gop, arguments) == 255
    assert message in capfd.readouterr().err
    assert not Path("OUT/gop").exists()
