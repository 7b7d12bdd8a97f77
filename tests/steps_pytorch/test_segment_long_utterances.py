"""segment_long_utterances.sh: two recordings in two jobs, into one data directory; of names that hold commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.kaldi_folders import digits_folder, long_digits
from tests.helpers.places import STEPS
from tests.steps_pytorch.test_hostile_names import HOSTILE, MARK


@pytest.mark.slow
def test_two_recordings_in_two_jobs(reference: Path, corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / HOSTILE
    folder.mkdir()
    data, _ = long_digits(corpus, folder)
    shutil.copy(folder / "long.wav", folder / "again & again.wav")
    shutil.copytree(reference / "fsdd/lang", folder / "lang")
    text = (data / "text").read_text().split(" ", 1)[1]
    (data / "text").write_text(f"long {text}more {text}")
    (data / "utt2spk").write_text("long long\nmore more\n")
    (data / "wav.scp").write_text(f"long {folder}/long.wav\nmore {folder}/again & again.wav\n")
    shutil.copy(data / "utt2spk", data / "spk2utt")
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", OMP_NUM_THREADS="1")
    command = [str(STEPS / "segment_long_utterances.sh"), "--nj", "2", "--lang", str(folder / "lang")]
    folders = [str(digits_folder(reference, folder / "model")), str(data), str(folder / "made")]
    done = subprocess.run(
        [*command, *folders], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = (folder / "made/segments").read_text().splitlines()
    half = len(made) // 2
    assert f"made {len(made)} segments of 2 recordings" in done.stdout and half >= 5
    assert [line.replace("long", "more") for line in made[:half]] == made[half:]
    bad = subprocess.run([*command, *folders[:2]], env=environment, capture_output=True, text=True, timeout=500)
    assert bad.returncode == 1 and "Usage:" in bad.stderr
    assert not list(tmp_path.rglob(MARK))
