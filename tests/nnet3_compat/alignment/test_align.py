"""nnet-pytorch-align beside Kaldi's programs, on recorded digits; long recordings; words that nobody pronounces."""

from __future__ import annotations

import json
import re
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.lang.dictionary import Dictionary
from kaldi_bridge.lang.preparation import LangOptions, LangPreparation
from nnet3_compat.commands.recognition import align
from tests.helpers.kaldi_folders import digits_folder
from tests.helpers.vosk_models import (
    DIGITS,
    TINY,
    samples_of,
    tiny_folder,
    with_lookahead,
    with_pronunciations,
    without_dither,
)

HERE = Path(__file__).parent
LOOKAHEAD = HERE.parent / "commands/nnet3bin/lookahead"
COUNT = 24  # utterances, the first ones of the test set
Ctm = list[tuple[str, str, float, float]]


def ctm(text: str) -> Ctm:
    """(recording, word or phone, start, end) of each line."""
    rows = [line.split() for line in text.splitlines()]
    return [(row[0], row[4], float(row[2]), float(row[2]) + float(row[3])) for row in rows]


def boundaries(entries: Ctm) -> np.ndarray:
    return np.array([entry[2:] for entry in entries])


def labels(entries: Ctm) -> list[tuple[str, str]]:
    return [entry[:2] for entry in entries]


def aligned(*arguments: str | Path, status: int = 0) -> None:
    assert run(align.main, [str(argument) for argument in arguments]) == status


@pytest.fixture(scope="module")
def digits(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return digits_folder(reference, tmp_path_factory.mktemp("digits") / "online")


@pytest.fixture(scope="module")
def data(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of the first utterances, whose recordings are found from anywhere."""
    folder = tmp_path_factory.mktemp("data") / "test"
    folder.mkdir()
    for name in ("text", "utt2spk", "wav.scp"):
        lines = (corpus / "fsdd/test" / name).read_text().splitlines()[:COUNT]
        if name == "wav.scp":
            lines = [f"{key} {corpus / 'fsdd' / file}" for key, file in map(str.split, lines)]
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def joined(data: Path, folder: Path) -> tuple[Path, Path, list[tuple[str, float, float]]]:
    """All the recordings in one, with pauses; its transcript; (words, start, end) of each."""
    rng = np.random.default_rng(0)
    texts = dict(line.split(" ", 1) for line in (data / "text").read_text().splitlines())
    parts, places, reached = [], [], 0
    for line in (data / "wav.scp").read_text().splitlines():
        name, file = line.split()
        samples, pause = samples_of(Path(file)), rng.integers(-20, 21, int(rng.integers(1600, 6400))).astype("<i2")
        places.append((texts[name], reached / 8000, (reached + len(samples)) / 8000))
        parts += [samples, pause]
        reached += len(samples) + len(pause)
    with wave.open(str(folder / "long.wav"), "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(8000)
        f.writeframes(np.concatenate(parts).tobytes())
    (folder / "long.txt").write_text(" ".join(texts.values()) + "\n")
    return folder / "long.wav", folder / "long.txt", places


def test_a_model_whose_phones_know_no_places_in_words(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Words are told apart by align_lexicon.int."""
    text = tmp_path / "text"
    text.write_text("One one, nine six.\n")
    model = with_pronunciations(tiny_folder(tmp_path / "model"))
    aligned("--output=json", "--retry-beam=300", model, TINY / "data/wav/en-us-f3-02.wav", text)
    result = json.loads(capfd.readouterr().out)
    assert [word["word"] for word in result["result"]] == ["One", "one,", "nine", "six."]
    said = [phone["phone"] for phone in result["phones"] if phone["phone"] != "SIL"]
    assert " ".join(said) == " ".join(DIGITS[word] for word in ("one", "one", "nine", "six"))
    times = [(entry["start"], entry["end"]) for entry in result["phones"]]
    assert times[0][0] == 0.0 and all(end == begin for (_, end), (begin, _) in zip(times, times[1:], strict=False))


def test_a_word_added_where_the_lexicon_tells_words_apart(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A lang directory without word_boundary.int, of the phones of the model."""
    dictionary = tmp_path / "dict"
    dictionary.mkdir()
    spoken = sorted({phone for said in DIGITS.values() for phone in said.split()})
    files = {
        "silence_phones.txt": "SIL\n", "optional_silence.txt": "SIL\n", "extra_questions.txt": "",
        "nonsilence_phones.txt": "".join(f"{phone}\n" for phone in spoken),
        "lexicon.txt": "<unk> SIL\n" + "".join(f"{word} {said}\n" for word, said in DIGITS.items()),
    }  # fmt: skip
    for name, text in files.items():
        (dictionary / name).write_text(text)
    options = LangOptions(position_dependent_phones=False)  # sorted, they have the model's numbers
    LangPreparation(Dictionary.read(dictionary), "<unk>", options).write(tmp_path / "lang")
    (tmp_path / "text").write_text("uno one nine six\n")
    (tmp_path / "more").write_text("uno W AH N\n")
    aligned(
        f"--lang={tmp_path}/lang", f"--tree={TINY}/model/tree", f"--lexicon={tmp_path}/more", "--retry-beam=300",
        "--output=json", tiny_folder(tmp_path / "model"), TINY / "data/wav/en-us-f3-02.wav", tmp_path / "text",
    )  # fmt: skip
    result = json.loads(capfd.readouterr().out)
    assert result["text"] == "uno one nine six"
    said = [phone["phone"] for phone in result["phones"] if phone["phone"] != "SIL"]
    assert " ".join(said) == " ".join(DIGITS[word] for word in ("one", "one", "nine", "six"))


def test_boundaries_are_kaldis(
    digits: Path, data: Path, reference: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Kaldi's: apply-cmvn-online, compile-train-graphs, nnet3-align-compiled, nbest-to-ctm and ali-to-phones.

    All boundaries of words and phones are the same, to the two decimals of a CTM.
    """
    lang = f"--lang={reference}/fsdd/lang"
    aligned(lang, "--output=ctm,phone-ctm,json,textgrid", f"--output-dir={tmp_path}", digits, data)
    assert f"Aligned {COUNT} utterances, 0 with errors." in capfd.readouterr().err
    for suffix, kaldis in ("ctm", "kaldis.ctm"), ("phones.ctm", "kaldis.phones"):
        names = [line.split()[0] for line in (data / "text").read_text().splitlines()]
        ours = ctm("".join((tmp_path / f"{name}.{suffix}").read_text() for name in names))
        expected = ctm((HERE / kaldis).read_text())
        assert labels(ours) == labels(expected)
        assert np.abs(boundaries(ours) - boundaries(expected)).max() < 0.011
    result = json.loads((tmp_path / "theo-000.json").read_text())
    assert result["text"] == "two nine two zero four three" and result["phones"][0]["phone"] == "T_B"
    assert [entry["word"] for entry in result["result"]] == result["text"].split()
    grid = (tmp_path / "theo-000.TextGrid").read_text()
    assert 'name = "words"' in grid and 'name = "phones"' in grid


def test_a_long_recording_and_its_segments(
    digits: Path, data: Path, reference: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Each word lies in the recording that it came from; parts of it by a segments file have nearly the same times."""
    recording, text, places = joined(data, tmp_path)
    lang = f"--lang={reference}/fsdd/lang"
    aligned(lang, digits, recording, text)
    whole = iter(ctm(capfd.readouterr().out))
    for said, start, end in places:
        for word in said.split():
            _, found, begin, stop = next(whole)
            assert found == word and start - 0.15 < begin < stop < end + 0.15
    assert next(whole, None) is None
    cut = tmp_path / "cut"
    cut.mkdir()
    names = [f"long-{n:03}" for n in range(len(places))]
    (cut / "wav.scp").write_text(f"long cat {recording} |\n")
    (cut / "segments").write_text(
        "".join(f"{n} long {s:.3f} {e:.3f}\n" for n, (_, s, e) in zip(names, places, strict=True))
    )
    (cut / "text").write_text("".join(f"{n} {said}\n" for n, (said, _, _) in zip(names, places, strict=True)))
    (cut / "utt2spk").write_text("".join(f"{n} long\n" for n in names))
    aligned(lang, "--output=json", digits, cut)
    out, results = capfd.readouterr().out, []
    while out.strip():
        result, length = json.JSONDecoder().raw_decode(out)
        results.append(result)
        out = out[length:].lstrip()
    assert [result["utterance"] for result in results] == names
    for result, (said, start, end) in zip(results, places, strict=True):
        assert result["text"] == said
        assert all(start - 0.01 < word["start"] < word["end"] < end + 0.04 for word in result["result"])


def test_graphs_of_models_for_vosk(
    data: Path, reference: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Of HCLG.fst, of HCLr.fst with pronunciations inside, and of a lang directory: nearly all boundaries agree."""
    few = tmp_path / "few"
    few.mkdir()
    for name in ("text", "utt2spk", "wav.scp"):
        (few / name).write_text("".join((data / name).read_text().splitlines(keepends=True)[:10]))
    vosk = without_dither(reference / "fsdd/vosk", tmp_path / "vosk")
    lang = f"--lang={reference}/fsdd/lang"
    found = []
    for arguments in (
        (lang, f"--tree={reference}/fsdd/chain_tree/tree", vosk),
        (vosk,),
        (with_lookahead(vosk, LOOKAHEAD, tmp_path / "lookahead"),),
    ):
        aligned(*arguments, few)
        found.append(ctm(capfd.readouterr().out))
    for other in found[1:]:
        assert labels(other) == labels(found[0])
        assert np.mean(np.abs(boundaries(other) - boundaries(found[0])) < 0.031) > 0.95
    aligned(lang, vosk, few, status=255)
    assert re.search(r"there is no .*am/tree: .*--tree", capfd.readouterr().err)
    aligned("--output=phone-ctm", vosk, few, status=255)
    assert "has no phones.txt" in capfd.readouterr().err


def test_words_that_the_lexicon_lacks(
    digits: Path, data: Path, reference: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """deux is given a pronunciation, "Nine," is found as nine, a dash is not said, quatre is an unknown word."""
    text = tmp_path / "theo-000.txt"
    text.write_text("deux Nine, two - ZERO quatre three\n")
    recording = dict(line.split() for line in (data / "wav.scp").read_text().splitlines())["theo-000"]
    extra = tmp_path / "lexicon.txt"
    extra.write_text("deux T UW\n")
    lang = f"--lang={reference}/fsdd/lang"
    aligned(lang, f"--lexicon={extra}", "--output=json", digits, recording, text)
    out, errors = capfd.readouterr()
    result = json.loads(out)
    assert [word["word"] for word in result["result"]] == ["deux", "Nine,", "two", "ZERO", "quatre", "three"]
    assert [phone["phone"] for phone in result["phones"]][:2] == ["T_B", "UW_E"]
    assert any(phone["phone"] == "SPN_S" for phone in result["phones"])
    assert "No pronunciation of 'quatre': taken for an unknown word, 1 time(s)" in errors and "'deux'" not in errors
    kaldis = [entry for entry in ctm((HERE / "kaldis.ctm").read_text()) if entry[0] == "theo-000"]
    assert result["result"][0]["end"] == pytest.approx(kaldis[0][3], abs=0.011)
    extra.write_text("deux T OE\n")
    aligned(lang, f"--lexicon={extra}", digits, recording, text, status=255)
    assert "'deux': the model has no phone 'OE'" in capfd.readouterr().err


def test_what_cannot_be_aligned(
    digits: Path, data: Path, reference: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lang = f"--lang={reference}/fsdd/lang"
    wave_file, text = dict(line.split() for line in (data / "wav.scp").read_text().splitlines()), tmp_path / "a.txt"
    text.write_text("one\n")
    none = tmp_path / "none.wav"
    none.write_text("no wave file at all, but long enough to have been one")
    much = tmp_path / "much.txt"
    much.write_text("seven " * 300)
    bare = tmp_path / "bare.txt"
    bare.write_text("- --\n")
    first = wave_file["theo-000"]
    aligned(lang, digits, none, text, first, much, first, bare, tmp_path / "nowhere.wav", text, status=1)
    errors = capfd.readouterr().err
    assert "Aligned 0 utterances, 4 with errors." in errors
    for message in ("not a wave file", "the end of the transcript was not reached", "has no words", "nowhere.wav"):
        assert message in errors
    silent = shutil.copytree(data, tmp_path / "silent")
    (silent / "text").write_text("theo-000 \ntheo-001 seven two two three\n")
    aligned(lang, digits, silent)
    assert "no transcript of theo-000" in capfd.readouterr().err
    for arguments, message in (
        ((lang, digits, first), "is no data directory"),
        ((lang, digits, first, text, first), "needs the file of its transcript"),
        ((lang, digits, first, tmp_path / "nowhere.txt"), "cannot read"),
        ((lang, "--output=mp3", digits, data), "should be one of text, json"),
        ((lang, "--output=srt", digits, data), "give --output-dir"),
        ((lang, "--output=ctm,json", digits, data), "give --output-dir"),
        ((lang, "--graph=here", digits, data), "exclude each other"),
        (("--lexicon=here", digits, data), "needs --lang"),
        ((lang, "--beam=0", digits, data), "must be positive"),
        ((lang, "--unknown-word=what", digits, data), "'what' is not in the model's vocabulary"),
        ((digits, data), "say which graph to take"),
        ((tmp_path, data), "holds no model"),
        ((tiny_folder(tmp_path / "tiny"), data), "words cannot be told apart: give --lang"),
        ((f"--lang={tmp_path}", digits, data), r"phones.txt"),
    ):
        aligned(*arguments, status=255)
        assert message in capfd.readouterr().err, message
