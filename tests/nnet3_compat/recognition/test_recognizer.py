"""The judge of results is Vosk: ``vosk.json`` is what its wheel, 0.3.45, said of five recordings, as they came in."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from nnet3_compat import Model, Recognizer
from nnet3_compat.recognition import recognizer as recognizer_module
from nnet3_compat.recognition.results import empty_result, vosk_json, vosk_nlsml
from tests.helpers.vosk_models import flat, samples_of, with_pauses, without_dither
from tests.helpers.vosk_runtime import Said, listen

KEPT = json.loads((Path(__file__).parent / "vosk.json").read_text())
SIZE = 2000  # samples at a time
NAMES = ["theo-000", "theo-001", "theo-002", "theo-010"]


@pytest.fixture(scope="module")
def folder(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return without_dither(reference / "fsdd/vosk", tmp_path_factory.mktemp("vosk") / "model")


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return Model(folder)


@pytest.fixture(scope="module")
def recordings(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four, and one in which three of them follow each other."""
    files = [corpus / f"fsdd/test/wav/{name}.wav" for name in NAMES]
    return [*files, with_pauses(files[:3], 1.3, tmp_path_factory.mktemp("long") / "long.wav")]


def hear(recognizer: Recognizer, samples: np.ndarray, size: int = SIZE) -> Said:
    said: Said = []
    for begin in range(0, len(samples), size):
        if recognizer.accept(samples[begin : begin + size].tobytes()):
            said.append(("result", recognizer.result()))
        else:
            said.append(("partial", recognizer.partial()))
    return [*said, ("final", recognizer.final())]


def entries(result: dict[str, Any]) -> list[dict[str, Any]]:
    return result.get("alternatives", [result])


def assert_as_vosk(found: Said, expected: Said, seconds: float, confidence: float) -> int:
    """The same words everywhere. Returns how many of them have other times or confidences than that."""
    assert [kind for kind, _ in found] == [kind for kind, _ in expected]
    differing = 0
    for (_, mine), (_, theirs) in zip(found, expected, strict=True):
        assert mine.keys() == theirs.keys() and mine.get("partial") == theirs.get("partial")
        for entry, other in zip(entries(mine), entries(theirs), strict=True):
            assert entry.keys() == other.keys() and entry.get("text") == other.get("text")
            if "confidence" in entry:
                assert entry["confidence"] == pytest.approx(other["confidence"], abs=0.1)
            for word, vosks in zip(entry.get("result", []), other.get("result", []), strict=True):
                assert word.keys() == vosks.keys() and word["word"] == vosks["word"]
                times = max(abs(word[key] - vosks[key]) for key in ("start", "end"))
                differing += times > seconds or abs(word.get("conf", 0) - vosks.get("conf", 0)) > confidence
    return differing


def test_words_times_and_confidences(model: Model, recordings: list[Path]) -> None:
    """Also that and where segments end, and all partial results.

    Where words can be counted in two ways alike, the order of a lattice's states decides, which Vosk's has otherwise.
    """
    differing = 0
    for path, expected in zip(recordings, KEPT["best"], strict=True):
        found = hear(Recognizer(model, 8000, words=True), samples_of(path))
        differing += assert_as_vosk(found, expected, 0.01, 0.01)
    assert differing <= 2
    assert sum(kind == "result" for kind, _ in found) == 3


def test_alternatives(model: Model, recordings: list[Path]) -> None:
    for path, expected in zip(recordings, KEPT["alternatives"], strict=True):
        found = hear(Recognizer(model, 8000, words=True, max_alternatives=3), samples_of(path))
        assert assert_as_vosk(found, expected, 1e-5, 0) == 0


def test_json_is_laid_out_as_vosks() -> None:
    """``text``: the characters that Vosk returned for it."""
    assert vosk_json(KEPT["alternatives"][0][-1][1]) == KEPT["text"]
    assert json.loads(vosk_json({"text": 'a "b" \\'})) == {"text": 'a "b" \\'}


def test_nlsml_is_laid_out_as_vosks() -> None:
    assert vosk_nlsml(KEPT["alternatives"][0][-1][1]) == KEPT["nlsml"]
    assert vosk_nlsml(empty_result(alternatives=True)) == KEPT["no nlsml"]
    assert "<instance>&lt;unk&gt;</instance>" in vosk_nlsml({"alternatives": [{"text": "<unk>", "confidence": 1.0}]})


@pytest.mark.slow
@pytest.mark.parametrize("alternatives", [0, 5])
def test_all_recordings(model: Model, folder: Path, corpus: Path, alternatives: int) -> None:
    """The best texts and all partial ones are the same.

    Where the wheel normalizes features online it is not always Kaldi, whose program has our numbers: that moves some
    confidences, and the order of alternatives of nearly the same cost.
    """
    paths = sorted((corpus / "fsdd/test/wav").glob("*.wav"))[::5]
    differing = words = others = 0
    for path, expected in zip(paths, listen(folder, paths, SIZE, alternatives), strict=True):
        found = hear(Recognizer(model, 8000, words=True, max_alternatives=alternatives), samples_of(path))
        if alternatives:
            texts = [[entry["text"] for entry in entries(said[-1][1])] for said in (found, expected)]
            assert texts[0][0] == texts[1][0]
            others += texts[0] != texts[1]
        else:
            differing += assert_as_vosk(found, expected, 0.01, 0.01)
            words += sum(len(result.get("result", [])) for _, result in found)
    assert others <= len(paths) // 20
    assert differing <= words // 50


@pytest.mark.slow
def test_the_flat_layout(folder: Path, corpus: Path, tmp_path: Path) -> None:
    """Whose options are built into Vosk."""
    paths = sorted((corpus / "fsdd/test/wav").glob("theo-01*.wav"))
    other = flat(folder, tmp_path / "flat")
    model = Model(other)
    assert model.options.beam == 13.0 and model.options.max_active == 7000
    for path, expected in zip(paths, listen(other, paths, SIZE), strict=True):
        found = hear(Recognizer(model, 8000, words=True), samples_of(path))
        assert assert_as_vosk(found, expected, 0.01, 0.01) <= 1


def test_partial_words(model: Model, recordings: list[Path]) -> None:
    """They grow into the result, with times in order; asking for them changes no result."""
    samples = samples_of(recordings[0])
    plain = hear(Recognizer(model, 8000, words=True), samples)
    found = hear(Recognizer(model, 8000, words=True, partial_words=True), samples)
    assert found[-1][1]["text"] == plain[-1][1]["text"]
    for _, partial in found[:-1]:
        words = partial.get("partial_result", [])
        assert " ".join(word["word"] for word in words) == partial["partial"]
        assert all(word["start"] < word["end"] and 0 < word["conf"] <= 1 for word in words)
    assert found[-2][1]["partial"].split()[:4] == plain[-1][1]["text"].split()[:4]


def test_pieces_of_any_size_and_kind(model: Model, recordings: list[Path]) -> None:
    """What is heard depends on the pieces only by where i-vectors and endpoints are looked for."""
    samples = samples_of(recordings[1])
    raw = samples.tobytes()
    expected = hear(Recognizer(model, 8000, words=True), samples)[-1]
    for piece in (samples, samples.astype(np.float32), memoryview(raw), bytearray(raw)):
        recognizer, step = Recognizer(model, 8000, words=True), SIZE if isinstance(piece, np.ndarray) else 2 * SIZE
        for begin in range(0, len(piece), step):
            recognizer.accept(piece[begin : begin + step])
        assert recognizer.final() == expected[1]
    odd = Recognizer(model, 8000)  # bytes of a sample that come apart
    for begin in range(0, len(raw), 1601):
        odd.accept(raw[begin : begin + 1601])
    assert odd.final()["text"] == expected[1]["text"]


def test_streams_follow_each_other(model: Model, recordings: list[Path]) -> None:
    """After the final result a new stream begins, with nothing left of the old one but its times."""
    samples = samples_of(recordings[1])
    recognizer = Recognizer(model, 8000, words=True)
    assert recognizer.final() == {"text": ""} and recognizer.partial() == {"partial": ""}
    first = hear(recognizer, samples)[-1][1]
    assert recognizer.result() == {"text": ""}  # asked twice
    second = hear(recognizer, samples)[-1][1]
    assert second["text"] == first["text"]
    for one, other in zip(first["result"], second["result"], strict=True):
        assert other["start"] - one["start"] == pytest.approx(len(samples) / 8000)
        assert other["conf"] == one["conf"]
    recognizer.accept(samples[:8000])
    recognizer.reset()
    assert recognizer.final() == {"text": ""}


def test_streams_without_end(model: Model, recordings: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many frames features begin anew with a segment, so that memory is bounded; times go on."""
    samples = samples_of(recordings[4])
    expected = hear(Recognizer(model, 8000, words=True), samples)
    monkeypatch.setattr(recognizer_module, "MOST_FRAMES", 50)
    recognizer = Recognizer(model, 8000, words=True)
    found = hear(recognizer, samples)
    assert recognizer.seconds == pytest.approx(len(samples) / 8000)
    words, others = ([w for _, result in said for w in result.get("result", [])] for said in (found, expected))
    assert words[:6] == others[:6]
    assert words[6]["word"] == others[6]["word"] and words[6]["start"] == pytest.approx(others[6]["start"], abs=0.2)


def test_silence_and_nothing(model: Model) -> None:
    silence = np.random.default_rng(0).integers(-30, 31, 8000).astype(np.int16)
    for samples in (silence[:0], silence[:1], silence[:100], silence):
        recognizer = Recognizer(model, 8000, words=True)
        recognizer.accept(samples)
        recognizer.accept(b"")
        assert recognizer.final() == {"text": ""}
    recognizer = Recognizer(model, 8000)
    ends = [recognizer.accept(silence) for _ in range(7)]
    assert ends.index(True) == 5 and recognizer.result() == {"text": ""}  # after five seconds
    assert Recognizer(model, 8000, max_alternatives=2).final() == {"alternatives": [{"text": "", "confidence": 1.0}]}


def test_many_at_once(model: Model, recordings: list[Path]) -> None:
    """Recognizers in threads disturb each other no more than those whose chunks are computed together."""
    waves = [samples_of(path) for path in recordings[:4]]
    expected = [hear(Recognizer(model, 8000), samples)[-1][1]["text"] for samples in waves]
    found: dict[int, str] = {}

    def run(number: int) -> None:
        found[number] = hear(Recognizer(model, 8000), waves[number])[-1][1]["text"]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(waves))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(len(waves))] == expected

    together = [Recognizer(model, 8000) for _ in waves]
    for recognizer, samples in zip(together, waves, strict=True):
        recognizer.feed(samples)
    while True:
        asked = [(recognizer, chunks) for recognizer in together if (chunks := recognizer.chunks()) is not None]
        if not asked:
            break
        outputs = model.setup.computer.compute([chunk for _, chunks in asked for chunk in chunks])
        for recognizer, chunks in asked:
            recognizer.search(outputs[: len(chunks)])
            del outputs[: len(chunks)]
    together[0].feed_end()
    while (chunks := together[0].chunks()) is not None:
        together[0].search(model.setup.computer.compute(chunks))
    with pytest.raises(KaldiError, match="the stream has ended"):
        together[0].feed(waves[0])
    assert [recognizer.final()["text"] for recognizer in together] == expected


def test_other_rates(model: Model, recordings: list[Path]) -> None:
    """Twice each sample, at twice the rate: nearly the same signal."""
    samples = samples_of(recordings[1])
    recognizer = Recognizer(model, 16000)
    recognizer.accept(samples.repeat(2))
    assert recognizer.final()["text"] == hear(Recognizer(model, 8000), samples)[-1][1]["text"]
    assert Recognizer(model, 4000).accept(samples[::2].copy()) in (False, True)
    for rate in (0, -8000, float("nan"), float("inf"), 1e9):
        with pytest.raises(KaldiError):
            Recognizer(model, rate)


def test_what_are_no_samples(model: Model) -> None:
    recognizer = Recognizer(model, 8000)
    for data, message in (
        (np.zeros((2, 80), np.int16), "one channel"),
        (np.zeros(80, np.int64), "int64"),
        (np.array([np.nan], np.float32), "not finite"),
    ):
        with pytest.raises(KaldiError, match=message):
            recognizer.accept(data)
    recognizer.accept(b"\0")
    with pytest.raises(KaldiError, match="middle of a sample"):
        recognizer.accept(np.zeros(80, np.int16))
    assert recognizer.final() == {"text": ""}


def test_a_whole_graph_has_one_grammar(model: Model) -> None:
    with pytest.raises(KaldiError, match="cannot be changed"):
        Recognizer(model, 8000).set_grammar(["one two"])
    with pytest.raises(KaldiError, match=r"no phones\.txt"):
        Recognizer(model, 8000, phones=True)
    assert model.find_word("one") > 0 and model.find_word("eleven") == -1
