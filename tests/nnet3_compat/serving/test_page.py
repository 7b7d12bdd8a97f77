"""The server's page in a headless Chromium, where there is one: a recording is played into its microphone."""

from __future__ import annotations

import re
import urllib.request
import wave
from pathlib import Path

import pytest

from tests.helpers.headless_browser import find_browser, page
from tests.helpers.places import ROOT
from tests.helpers.running_server import running
from tests.helpers.vosk_models import samples_of, tiny_folder

MODULE = "nnet3_compat.commands.recognition.serve"
BROWSER = find_browser()


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs a Chromium: chromium-headless-shell, chromium or google-chrome")
def test_words_from_a_microphone(tmp_path: Path) -> None:
    """Which ones depends on the moment at which the page begins to listen."""
    assert BROWSER is not None
    folder = tiny_folder(tmp_path / "model")
    said = samples_of(sorted((ROOT / "egs/tiny/data/wav").glob("*.wav"))[0])
    recording = tmp_path / "said.wav"
    with wave.open(str(recording), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(said.tobytes() * 20)
    (tmp_path / "browser").mkdir()
    with (
        running(MODULE, "--port=0", folder, log=tmp_path / "log") as server,
        page(BROWSER, f"http://localhost:{server.port}/", recording, tmp_path / "browser") as shown,
    ):
        assert shown.evaluate("document.title") == "nnet-pytorch"
        shown.evaluate("document.getElementById('toggle').click()")
        shown.wait_for("document.getElementById('toggle').textContent === 'Stop'", 20)
        partial = shown.wait_for("document.getElementById('partial').textContent", 30)
        shown.evaluate("document.getElementById('toggle').click()")
        shown.wait_for("document.getElementById('toggle').textContent === 'Start'", 20)
        words = shown.wait_for("document.getElementById('words').textContent", 20)
        assert shown.evaluate("document.getElementById('error').textContent") == ""
        with urllib.request.urlopen(f"http://localhost:{server.port}/metrics") as metrics:
            seconds = re.search(r"^nnet_pytorch_speech_seconds_total (\S+)", metrics.read().decode(), re.MULTILINE)
    vocabulary = (folder / "graph/words.txt").read_text().split()[::2]
    assert set(partial.split()) | set(words.split()) <= set(vocabulary)
    assert seconds is not None and float(seconds[1]) > 0.3
