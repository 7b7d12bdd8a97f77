"""Data directories split, combined, renamed, perturbed, repaired and validated."""

import shlex
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.data_dirs.changes import read_repaired, renamed, with_smaller_speakers
from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.data_dirs.perturbation import is_volume_perturbed, speed_perturbed, volume_perturbed
from kaldi_bridge.data_dirs.splitting import (
    balanced,
    consecutive,
    evenly_spread,
    some_of_each_speaker,
    some_speakers,
    split,
)
from kaldi_bridge.data_dirs.validation import ValidationOptions, problems_of
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.audio_perturbation import soxr_resampled, with_speed, with_volume
from kaldi_bridge.io.wave import Wave

FILES = {
    "utt2spk": "a-1 a\na-2 a\nb-1 b\n",
    "spk2utt": "a a-1 a-2\nb b-1\n",
    "text": "a-1 one two\na-2 two\nb-1 three\n",
    "wav.scp": "a-1 x.wav\na-2 flac -dc x.flac |\nb-1 wavs.ark:17\n",
    "feats.scp": "a-1 f.ark:1\na-2 f.ark:2\nb-1 f.ark:3\n",
    "cmvn.scp": "a c.ark:1\nb c.ark:2\n",
    "utt2dur": "a-1 1.5\na-2 2.25\nb-1 0.9\n",
    "utt2num_frames": "a-1 148\na-2 223\nb-1 88\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "data", FILES)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ((2,), "2 a-01 2 a-02 2 a-03 2 a-04 2 a-05 2 a-06 2 a-07 2 a-08 2 a-09 2 a-10 1 a-11 2 b-1 1 b-2"),
        (
            (5, 6.0, False),
            "4 speaker-1 4 speaker-2 3 speaker-3 3 speaker-4 3 speaker-5 3 speaker-6 3 speaker-7 1 speaker-8",
        ),
    ],
)
def test_smaller_speakers(tmp_path: Path, limits: tuple[float, ...], expected: str) -> None:
    """Speakers with so many utterances, one after the other, as Kaldi's script makes them; not their statistics."""
    utterances = [f"a-{i:02}" for i in range(1, 22)] + ["b-1", "b-2", "b-3"]
    rows = {"utt2spk": {u: u[0] for u in utterances}, "cmvn.scp": {"a": "c.ark:1", "b": "c.ark:2"}}
    rows["utt2dur"] = {u: str(1 + i % 3 * 0.5) for i, u in enumerate(utterances)}
    made = with_smaller_speakers(DataDir(tmp_path, rows), *limits)  # type: ignore[arg-type]
    assert " ".join(f"{len(us)} {speaker}" for speaker, us in made.spk2utt.items()) == expected
    assert list(made.utt2spk) == utterances and "cmvn.scp" not in made.tables


class TestSplitting:
    def test_consecutive(self) -> None:
        assert consecutive("abcdefgh", 3) == ["abc", "def", "gh"]
        with pytest.raises(KaldiError, match="2 utterances cannot be split into 3"):
            consecutive("ab", 3)

    @pytest.mark.parametrize(
        ("sizes", "parts", "expected"),
        [
            ([5, 1, 1, 1], 2, [5, 3]),
            ([1, 1, 1, 5], 2, [3, 5]),
            ([2, 2, 2], 3, [2, 2, 2]),
            ([9, 1, 1, 1, 1, 8], 3, [9, 4, 8]),
        ],
    )
    def test_speakers_stay_whole(self, sizes: list[int], parts: int, expected: list[int]) -> None:
        spk2utt = {f"s{i}": [f"s{i}-{n}" for n in range(size)] for i, size in enumerate(sizes)}
        found = balanced(spk2utt, parts)
        assert [len(part) for part in found] == expected
        assert [u for part in found for u in part] == [u for us in spk2utt.values() for u in us]

    def test_parts_are_complete(self, data: Path) -> None:
        first, second = split(DataDir.read(data), 2)
        assert first.utterances == ["a-1", "a-2"] and second.tables["cmvn.scp"] == {"b": "c.ark:2"}
        first, second = split(DataDir.read(data), 2, per_utterance=True)
        assert first.spk2utt == {"a": ["a-1", "a-2"]} and second.tables["text"] == {"b-1": "three"}
        with pytest.raises(KaldiError, match="2 speakers cannot be split into 3 parts"):
            split(DataDir.read(data), 3)

    def test_selections(self) -> None:
        assert evenly_spread(list(range(8)), 4) == [1, 3, 5, 7]
        assert evenly_spread(list(range(5)), 5) == list(range(5))
        spk2utt = {"a": ["a-1", "a-2", "a-3", "a-4"], "b": ["b-1"]}
        assert some_of_each_speaker(spk2utt, 2) == ["a-1", "a-3", "b-1"]
        assert some_speakers(spk2utt, 1) == some_speakers(spk2utt, 1)
        assert len(some_speakers(spk2utt, 5)) == 5


class TestMakingOthers:
    def test_prefixes(self, data: Path) -> None:
        made = renamed(DataDir.read(data), lambda u: f"p-{u}", lambda s: f"q-{s}")
        assert made.tables["utt2spk"] == {"p-a-1": "q-a", "p-a-2": "q-a", "p-b-1": "q-b"}
        assert made.tables["wav.scp"]["p-b-1"] == "wavs.ark:17"
        assert made.tables["cmvn.scp"]["q-b"] == "c.ark:2"
        assert made.tables["utt2uniq"]["p-a-1"] == "a-1"

    def test_recordings_keep_their_names(self, data: Path) -> None:
        write(data, {"segments": "a-1 r 0 1\na-2 r 1 2\nb-1 r 2 3\n", "wav.scp": "r x.wav\n"})
        made = renamed(DataDir.read(data), lambda u: f"p-{u}")
        assert made.tables["segments"]["p-a-1"] == "r 0 1"
        assert made.tables["wav.scp"] == {"r": "x.wav"}

    def test_what_was_in_the_directory_is_gone(self, data: Path, tmp_path: Path) -> None:
        write(tmp_path / "old", {"vad.scp": "z v.ark:1\n"})
        DataDir.read(data).write(tmp_path / "old")
        assert not (tmp_path / "old/vad.scp").exists()


class TestPerturbation:
    def test_kaldis_pipes(self, data: Path) -> None:
        made = speed_perturbed(DataDir.read(data), "0.9", sox=True)
        assert made.tables["wav.scp"]["sp0.9-a-1"] == "sox -t wav x.wav -t wav - speed 0.9 |"
        assert made.tables["wav.scp"]["sp0.9-a-2"] == "flac -dc x.flac | sox -t wav - -t wav - speed 0.9 |"
        assert made.tables["utt2dur"] == {"sp0.9-a-1": "1.66667", "sp0.9-a-2": "2.5", "sp0.9-b-1": "1"}
        assert made.tables["utt2uniq"]["sp0.9-b-1"] == "b-1"
        assert not {"feats.scp", "cmvn.scp", "utt2num_frames"} & set(made.tables)
        assert made.tables["utt2spk"]["sp0.9-a-1"] == "sp0.9-a"
        loud, volumes = volume_perturbed(made, sox=True)
        assert loud.tables["wav.scp"]["sp0.9-a-1"].endswith(f"| sox --vol {volumes['sp0.9-a-1']} -t wav - -t wav - |")
        assert volumes["sp0.9-a-1"] == "1.7082909716094652"  # Python's generator with seed 0, as Kaldi has it
        assert is_volume_perturbed(loud) and not is_volume_perturbed(made)

    def test_our_pipes(self, data: Path) -> None:
        made = speed_perturbed(DataDir.read(data), "1.1", of_speakers=False, sox=False)
        program = "nnet-pytorch-perturb-audio --print-args=false"
        assert made.tables["wav.scp"]["a-1-sp1.1"] == f"{program} --speed=1.1 x.wav - |"
        assert made.tables["wav.scp"]["a-2-sp1.1"] == f"flac -dc x.flac | {program} --speed=1.1 - - |"
        assert made.tables["utt2spk"]["a-1-sp1.1"] == "a"
        loud, _ = volume_perturbed(made, volumes=dict.fromkeys(made.utterances, "0.5"), sox=False)
        assert loud.tables["wav.scp"]["a-1-sp1.1"] == f"{program} --volume=0.5 --speed=1.1 x.wav - |"
        assert is_volume_perturbed(loud)

    @pytest.mark.parametrize("sox", [False, True])
    @pytest.mark.parametrize(
        ("file", "word"),
        [
            ("a$(touch X).wav", "'a$(touch X).wav'"),
            ("my data/it's `touch X`;.wav", """'my data/it'"'"'s `touch X`;.wav'"""),
            ("w a v.ark:17", "'w a v.ark:17'"),
            ("-n", "./-n"),
        ],
    )
    def test_names_are_words(self, data: Path, sox: bool, file: str, word: str) -> None:
        """Of one shell's line, whatever is in them."""
        (data / "wav.scp").write_text(f"a-1 {file}\na-2 x.wav\nb-1 x.wav\n")
        made = speed_perturbed(DataDir.read(data), "0.9", sox=sox)
        loud, _ = volume_perturbed(DataDir.read(data), sox=sox)
        for pipe in (made.tables["wav.scp"]["sp0.9-a-1"], loud.tables["wav.scp"]["a-1"]):
            assert f" {word} " in pipe
            assert (f"./{file}" if file.startswith("-") else file) in shlex.split(pipe)

    def test_sox_does_not_look_for_other_files(self, data: Path) -> None:
        (data / "wav.scp").write_text("a-1 a*.wav\na-2 |x\nb-1 x.wav\n")
        pipes = speed_perturbed(DataDir.read(data), "0.9", sox=True).tables["wav.scp"]
        assert pipes["sp0.9-a-1"] == "sox -t wav --no-glob 'a*.wav' -t wav - speed 0.9 |"
        assert pipes["sp0.9-a-2"] == "sox -t wav './|x' -t wav - speed 0.9 |"

    def test_segments_are_faster_too(self, data: Path) -> None:
        write(data, {"segments": "a-1 r 0.5 1.5\na-2 r 1.5 1.505\nb-1 r 2 -1\n", "wav.scp": "r x.wav\n"})
        made = speed_perturbed(DataDir.read(data), "2", sox=True)
        assert made.tables["segments"] == {"sp2-a-1": "sp2-r 0.25 0.75", "sp2-b-1": "sp2-r 1.00 -1"}
        assert made.utterances == ["sp2-a-1", "sp2-b-1"]

    def test_nonsense(self, data: Path) -> None:
        for factor in ("fast", "0", "nan", "-1", "1.1 ", "1;touch X", "$(touch X)"):
            with pytest.raises(KaldiError, match="speed"):
                speed_perturbed(DataDir.read(data), factor)
        with pytest.raises(KaldiError, match="volume is given for recording a-1"):
            volume_perturbed(DataDir.read(data), volumes={})
        with pytest.raises(KaldiError, match="volumes from 2 to 1"):
            volume_perturbed(DataDir.read(data), 2, 1)
        for volume in ("0.5;touch X", "nan", "0", "-1", "$(touch X)"):
            with pytest.raises(KaldiError, match="must be a positive number"):
                volume_perturbed(DataDir.read(data), volumes=dict.fromkeys(("a-1", "a-2", "b-1"), volume))

    def test_audio(self) -> None:
        time = np.arange(8000) / 8000
        tone = Wave(8000.0, (1000 * np.sin(2 * np.pi * 400 * time)).astype(np.float32)[None])
        for wave, frequency in (
            (with_speed(tone, 1.25), 500),
            (Wave(16000.0, soxr_resampled(tone.data, 8000.0, 16000.0)), 400),
        ):
            samples = wave.data[0]
            spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
            peak = spectrum.argmax() * wave.sample_frequency / len(samples)
            assert peak == pytest.approx(frequency, abs=2)
            assert np.abs(samples).max() == pytest.approx(1000, rel=0.02)
        assert with_speed(tone, 1.25).data.shape == (1, 6400)
        np.testing.assert_allclose(with_volume(tone, 2).data, 2 * tone.data)
        for wrong in (lambda: with_speed(tone, 0), lambda: with_volume(tone, -1)):
            with pytest.raises(KaldiError):
                wrong()


class TestRepair:
    def test_a_good_directory_stays(self, data: Path) -> None:
        assert read_repaired(data).data.tables == DataDir.read(data).tables

    def test_everything_that_can_be_wrong(self, data: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(
            data,
            {
                "utt2spk": "b-1 b\na-1 a\na-2 a\nc-1 c\nd-1 d\na-1 z\n",
                "text": "b-1 three\na-1 one\na-2 two\nc-1 four\n",
                "feats.scp": "a-1 f.ark:1\na-2 f.ark:2\nb-1 f.ark:3\nc-1 f.ark:4\nd-1 f.ark:5\n",
                "wav.scp": "a-1 x.wav\na-2 y.wav\nb-1 z.wav\nc-1 z.wav\nd-1 z.wav\n",
                "utt2dur": "a-1 1.5\na-2 0\nb-1 0.9\nc-1 1\nd-1 1\n",
                "utt2num_frames": "a-1 1\na-2 1\nb-1 1\nc-1 1\nd-1 1\n",
            },
        )
        found = read_repaired(data).data
        assert found.utterances == ["a-1", "b-1"]
        assert found.tables["utt2spk"] == {"a-1": "a", "b-1": "b"}
        assert found.tables["cmvn.scp"] == {"a": "c.ark:1", "b": "c.ark:2"}
        said = capfd.readouterr().err
        for message in (
            f"{data}/text: leaving out 1 utterances that have no good line there: d-1",
            f"{data}/utt2dur: leaving out 1 utterances that have no good line there: a-2",
            f"{data}/cmvn.scp: leaving out 1 utterances that have no good line there: c-1",
            f"file {data}/utt2spk is not in sorted order or not unique",
            "kept 2 utterances out of 5",
        ):
            assert message in said

    def test_nothing_left(self, data: Path) -> None:
        write(data, {"text": "z hello\n"})
        with pytest.raises(KaldiError, match="no utterances remained"):
            read_repaired(data)
        write(data, {"segments": "a-1 r 0 1\n"})
        (data / "wav.scp").unlink()
        with pytest.raises(KaldiError, match=r"segments exists but not .*wav.scp"):
            read_repaired(data)


class TestValidation:
    def test_a_good_directory(self, data: Path) -> None:
        assert problems_of(data, ValidationOptions()) == []

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("text", None, "no such file {}/text"),
            ("text", "", "empty file {}/text"),
            ("text", "a-1 one\nb-1 x\n", "{}/text: utterance a-2 is not there (1 of 3 in all)"),
            ("text", "a-1 one\na-2 <s>\nb-1 x\n", "{}/text: utterance a-2 contains illegal symbol <s>"),
            ("text", "a-1 one\na-2 x\u3000y\nb-1 x\n", "{}/text: line 2 has a space that is no ASCII space or tab"),
            ("text", "a-1 one\na-2 x\x01\nb-1 x\n", "{}/text: utterance a-2 contains a non-printable character"),
            ("feats.scp", "a-1 f\na-2 f\n", "{}/feats.scp: utterance b-1 is not there"),
            (
                "feats.scp",
                "a-1 f\na-2 f\nb-1 f\nc-1 f\n",
                "{}/feats.scp: utterance c-1 is no utterance of this directory",
            ),
            ("feats.scp", "a-2 f\na-1 f\nb-1 f\n", "{}/feats.scp: not in sorted order at a-2"),
            ("feats.scp", "a-1 f\na-1 g\n", "{}/feats.scp: a-1 is there twice"),
            ("wav.scp", "a-1 ~/x.wav\na-2 x\nb-1 y\n", "{}/wav.scp: a-1 has no file name, or one that begins with ~"),
            ("utt2spk", "a-1 b\na-2 a\nb-1 b\n", "{}/utt2spk: not in sorted order when sorted first on speakers"),
            ("utt2spk", "a-1 a\na-2 a b\nb-1 b\n", "{}/utt2spk: bad line of utterance a-2"),
            ("spk2utt", "a a-1\nb b-1\n", "spk2utt and utt2spk do not have the same utterances of speaker a"),
            ("cmvn.scp", "a c\n", "{}/cmvn.scp: speaker b is not there"),
            ("spk2gender", "a m\nb x\n", "{}/spk2gender: bad line of b: 'x'"),
            ("utt2dur", "a-1 1\na-2 -1\nb-1 1\n", "{}/utt2dur: bad line of a-2: '-1'"),
            ("utt2num_frames", "a-1 1\na-2 1.5\nb-1 1\n", "{}/utt2num_frames: bad line of a-2: '1.5'"),
            (
                "segments",
                "a-1 r 0 1\na-2 r 2 1\nb-1 r 1 2\n",
                "{}/segments: Invalid line in segments file [empty or invalid segment]: a-2",
            ),
            ("segments", "a-1 r 0 1\na-2 r 1 2\nb-1 q 1 2\n", "{}/wav.scp: recording q is not there"),
        ],
    )
    def test_what_is_wrong(self, data: Path, name: str, text: str | None, message: str) -> None:
        if text is None:
            (data / name).unlink()
        else:
            (data / name).write_text(text, encoding="utf-8")
        found = problems_of(data, ValidationOptions())
        assert any(message.format(data) in problem for problem in found), found

    def test_options(self, data: Path) -> None:
        for name in ("feats.scp", "text", "wav.scp"):
            (data / name).unlink()
        assert len(problems_of(data, ValidationOptions())) == 3
        assert problems_of(data, ValidationOptions(no_feats=True, no_text=True, no_wav=True)) == []
        write(
            data,
            {"utt2spk": "a-1 b\na-2 a\nb-1 b\n", "spk2utt": "a a-2\nb a-1 b-1\n", "text": "a-1 \x01\na-2 x\nb-1 x\n"},
        )
        lax = ValidationOptions(no_feats=True, no_wav=True, no_spk_sort=True, non_print=True)
        assert problems_of(data, lax) == []


def test_what_is_good_already_is_not_written(tmp_path: Path) -> None:
    """But what only reads as if it were: blank lines and other spaces go."""
    (tmp_path / "utt2spk").write_text("a-1 a\na-2 a\n")
    (tmp_path / "spk2utt").write_text("a a-1 a-2\n")
    (tmp_path / "text").write_text("a-1 x\n\na-2\ty z\n")
    made = read_repaired(tmp_path)
    assert made.good == {"utt2spk", "spk2utt"}
    made.write()
    assert (tmp_path / "text").read_text() == "a-1 x\na-2 y z\n"
    assert read_repaired(tmp_path).good == {"utt2spk", "spk2utt", "text"}
    (tmp_path / "text").write_text("a-2 y\n")
    left = read_repaired(tmp_path)
    assert left.good == {"text"} and list(left.data.tables["utt2spk"]) == ["a-2"]
