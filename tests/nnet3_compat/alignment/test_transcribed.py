"""What is aligned: recordings that have segments, and how long they are held."""

from __future__ import annotations

import wave
import weakref
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.wave import Wave, read_wave
from nnet3_compat.alignment import transcribed


def test_recordings_with_segments_are_held_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is read once while its parts are asked for, and is free once a part of another one is."""
    waves: list[weakref.ref[np.ndarray]] = []

    def read(stream: InputStream) -> Wave:
        made = read_wave(stream)
        waves.append(weakref.ref(made.data))
        return made

    monkeypatch.setattr(transcribed, "read_wave", read)
    lines: dict[str, list[str]] = {"wav.scp": [], "segments": [], "text": [], "utt2spk": []}
    for recording in ("a", "b", "c"):
        with wave.open(str(tmp_path / f"{recording}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(np.arange(16000, dtype=np.int16).tobytes())
        lines["wav.scp"].append(f"{recording} {tmp_path}/{recording}.wav")
        for start in (0, 1):
            lines["segments"].append(f"{recording}{start} {recording} {start} {start + 1}")
            lines["text"].append(f"{recording}{start} word")
            lines["utt2spk"].append(f"{recording}{start} {recording}{start}")
    for name, rows in lines.items():
        (tmp_path / name).write_text("\n".join(rows) + "\n")
    utterances = list(transcribed.of_data_dir(str(tmp_path), 0))
    for number, utterance in enumerate(utterances):
        rate, pieces = utterance.open()
        assert rate == 8000
        assert np.array_equal(np.concatenate(list(pieces)), np.arange(8000) + 8000 * (number % 2))
        assert [ref() is not None for ref in waves] == [False] * (number // 2) + [True]
    rate, pieces = utterances[0].open()  # once more, for another try
    assert len(np.concatenate(list(pieces))) == 8000
    assert len(waves) == 4
