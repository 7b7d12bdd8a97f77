"""nnet-pytorch-recognize: its outputs, and recordings that are none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kaldi_bridge.command import run
from nnet3_compat.commands.recognition import recognize
from nnet3_compat.recognition.formats import ctm_lines, srt, textgrid, vtt
from tests.helpers.vosk_models import TINY, samples_of, tiny_folder

WAVES = [str(TINY / f"data/wav/en-us-f3-0{n}.wav") for n in range(2)]
WORDS = [
    {"word": word, "start": 0.1 + 0.4 * n, "end": 0.4 + 0.4 * n, "conf": 0.5} for n, word in enumerate("ab<&efgh")
]  # fmt: skip
RESULTS = [{"text": "a b < & e f g h", "result": WORDS}, {"text": ""}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_folder(tmp_path_factory.mktemp("tiny") / "model"))


def recognized(capfd: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
    assert run(recognize.main, arguments) == status
    return capfd.readouterr()


def test_outputs(folder: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text, errors = recognized(capfd, folder, *WAVES)
    names, said = zip(*(line.split(" ", 1) for line in text.splitlines()), strict=True)
    assert names == ("en-us-f3-00", "en-us-f3-01") and "Recognized 2 recordings, 0 with errors." in errors
    assert recognized(capfd, folder, WAVES[0])[0] == said[0] + "\n"
    result = json.loads(recognized(capfd, "--output=json", folder, WAVES[0])[0])
    assert result["text"] == said[0] and [word["word"] for word in result["result"]] == said[0].split()
    best = json.loads(recognized(capfd, "--output=json", "--max-alternatives=1", folder, WAVES[0])[0])
    assert [set(entry) for entry in best["alternatives"]] == [{"text", "confidence", "result"}]
    several = json.JSONDecoder().raw_decode(recognized(capfd, "--output=json", folder, *WAVES)[0])[0]
    assert several == {**result, "recording": "en-us-f3-00"}
    recognized(capfd, "--output=srt", f"--output-dir={tmp_path}/out", folder, *WAVES)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["en-us-f3-00.srt", "en-us-f3-01.srt"]


def test_without_torch(folder: str) -> None:
    """A network that can be folded is computed by C++: torch, which takes seconds to import, is not needed."""
    code = (
        "import sys; sys.modules['torch'] = None\nfrom nnet3_compat.commands.recognition.recognize import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code, folder, WAVES[0]], capture_output=True, text=True, check=True)
    assert done.stdout.split()


def test_raw_samples_from_a_pipe(
    folder: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = recognized(capfd, folder, WAVES[0])[0]
    (tmp_path / "a.raw").write_bytes(samples_of(Path(WAVES[0])).tobytes())
    assert recognized(capfd, "--rate=8000", folder, f"cat {tmp_path}/a.raw |")[0] == expected


def test_recordings_that_are_none(folder: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("no wave file at all, but long enough to have been one")
    (tmp_path / "cut.wav").write_bytes(Path(WAVES[0]).read_bytes()[:44])
    bad = [f"{tmp_path}/{name}.wav" for name in ("empty", "text", "cut", "nowhere")]
    text, errors = recognized(capfd, folder, *bad, WAVES[0], status=1)
    assert re.fullmatch(r"en-us-f3-00 .+\n", text)
    assert errors.count("Failed to recognize") == 4 and "1 recordings, 4 with errors" in errors
    assert "so none is --channel=1" in recognized(capfd, "--channel=1", folder, WAVES[0], status=1)[1]
    for option, message in (
        ("--output=mp3", "should be one of text, json"),
        ("--output=srt", "give --output-dir"),
        ("--rate=-1", "must not be negative"),
        ("--graph=here", "has its graph inside"),
    ):
        assert message in recognized(capfd, option, folder, *WAVES, status=255)[1]
    assert "holds no model" in recognized(capfd, str(tmp_path), WAVES[0], status=255)[1]


def test_subtitles_and_tables() -> None:
    assert srt(RESULTS, 4.0) == (
        "1\n00:00:00,100 --> 00:00:02,800\na b < & e f g\n\n2\n00:00:02,900 --> 00:00:03,200\nh\n\n"
    )
    assert vtt(RESULTS, 4.0).startswith("WEBVTT\n\n00:00:00.100 --> 00:00:02.800\na b &lt; &amp; e f g\n\n")
    assert ctm_lines("x", RESULTS[0]).splitlines()[:2] == ["x 1 0.10 0.30 a 0.50", "x 1 0.50 0.30 b 0.50"]
    assert srt([{"text": ""}], 0.0) == "" and ctm_lines("x", {"text": ""}) == ""


def test_textgrids_have_no_gaps() -> None:
    phones = [{"phone": "p", "start": 0.0, "end": 0.2}, {"phone": 'q"', "start": 0.15, "end": 5.0}]
    text = textgrid([{**RESULTS[0], "phones": phones}], 4.0)
    assert "xmax = 5.000000\n" in text and 'text = "q"""' in text and "size = 2\n" in text
    for tier in text.split("item [")[2:]:
        times = [
            float(t)
            for t in re.findall(r"    xmin = ([0-9.]+)|    xmax = ([0-9.]+)", tier.split("intervals [1]", 1)[1])
            for t in t
            if t
        ]
        assert times[0] == 0.0 and times[-1] == 5.0
        assert times[1:-1:2] == times[2::2]
