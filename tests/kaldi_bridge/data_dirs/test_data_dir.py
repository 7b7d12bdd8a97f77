"""Data directories: what is read, what is said of files that are not right."""

from pathlib import Path

import pytest

from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text_files import in_order, read_rows


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two speakers, three utterances, of which two are in one recording."""
    files = {
        "utt2spk": "a-1 a\na-2 a\nb-1 b\n",
        "text": "a-1 one two\na-2\nb-1 three\n",
        "segments": "a-1 r1 0.5 1.25\na-2 r1 1.5 2\nb-1 r2 0 -1\n",
        "wav.scp": "r1 sox x.flac -t wav - |\nr2 y.wav\n",
        "cmvn.scp": "a c.ark:2\nb c.ark:9\n",
        "spk2gender": "a f\nb m\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_tables(data: Path) -> None:
    directory = DataDir.read(data)
    assert directory.utterances == ["a-1", "a-2", "b-1"]
    assert directory.spk2utt == {"a": ["a-1", "a-2"], "b": ["b-1"]}
    assert directory.text == {"a-1": ["one", "two"], "a-2": [], "b-1": ["three"]}
    assert directory.segments["a-1"][:5] == ("a-1", "r1", 0.5, 1.25, -1)
    assert [directory.recording(utterance) for utterance in directory.utterances] == ["r1", "r1", "r2"]
    assert directory.table("wav.scp")["r1"] == "sox x.flac -t wav - |"


def test_a_subset_keeps_what_belongs_to_it(data: Path, tmp_path: Path) -> None:
    DataDir.read(data).subset(["b-1"]).write(tmp_path / "part")
    contents = {path.name: path.read_text() for path in (tmp_path / "part").iterdir()}
    assert contents == {
        "utt2spk": "b-1 b\n",
        "spk2utt": "b b-1\n",
        "text": "b-1 three\n",
        "segments": "b-1 r2 0 -1\n",
        "wav.scp": "r2 y.wav\n",
        "cmvn.scp": "b c.ark:9\n",
        "spk2gender": "b m\n",
    }


def test_bytes_that_are_no_unicode_and_unicode_spaces_survive(data: Path, tmp_path: Path) -> None:
    (data / "text").write_bytes(b"a-1 caf\xe9\na-2 x\xc2\xa0y z\nb-1 three\n")
    directory = DataDir.read(data)
    assert len(directory.text["a-2"]) == 2
    directory.write(tmp_path / "copy")
    assert (tmp_path / "copy/text").read_bytes() == (data / "text").read_bytes()


def test_order_is_that_of_bytes() -> None:
    assert in_order(["a_b", "a-b", "aB", "ab", "\udcff", "é", "😀"]) == ["a-b", "aB", "a_b", "ab", "é", "😀", "\udcff"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("utt2spk", None, "no such file"),
        ("utt2spk", "", "empty file"),
        ("text", "a-1 one\na-2 x\na-1 one\n", "a-1 is there twice"),
    ],
)
def test_files_that_cannot_be_read(data: Path, name: str, text: str | None, message: str) -> None:
    (data / name).unlink()
    if text is not None:
        (data / name).write_text(text)
    with pytest.raises(KaldiError, match=message) as error:
        DataDir.read(data)
    assert str(data / name) in str(error.value)


@pytest.mark.parametrize("line", ["a-1 r1", "a-1 r1 2 1", "a-1 r1 x 1", "a-1 r1 -1 1", "a-1"])
def test_bad_segments_name_the_utterance(data: Path, line: str) -> None:
    (data / "segments").write_text(line + "\n")
    with pytest.raises(KaldiError, match="Invalid line in segments file.*: a-1"):
        DataDir.read(data).segments  # noqa: B018


def test_what_is_not_there(data: Path) -> None:
    with pytest.raises(KaldiError, match="no such directory"):
        DataDir.read(data / "nothing")
    with pytest.raises(KaldiError, match=f"no such file {data}/feats.scp"):
        DataDir.read(data).table("feats.scp")
    with pytest.raises(KaldiError, match="cannot read"):
        read_rows(data / "nothing")
