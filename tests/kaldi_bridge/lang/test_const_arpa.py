"""Language models in ConstArpaLm form: files as arpa-to-const-arpa writes them, and what they say of n-grams."""

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.lang.const_arpa import ConstArpa, compile_const_arpa, read_const_arpa, write_const_arpa
from tests.helpers.places import ROOT
from tests.helpers.twins import twin

DATA = ROOT / "tests/kaldi_bridge/commands/latbin/composing"
BEGIN, END = 8, 9
SYMBOLS = ["--bos-symbol=8", "--eos-symbol=9"]
BIGRAMS = "\n\\data\\\nngram 1=4\nngram 2=2\n\n\\1-grams:\n-1 8 -0.5\n-2 9\n-0.5 1 -0.25\n-0.75 2\n\n\\2-grams:\n"
TWO = BIGRAMS + "-0.1 8 1\n-0.2 1 2\n\n\\end\\\n"


@pytest.mark.parametrize(
    ("text", "model", "options"),
    [("lm.int", "G.carpa", []), ("bi.int", "bi.carpa", []), ("small.int", "small.carpa", ["--unk-symbol=5"])]
    + [("uni.int", "uni.carpa", [])],
)
def test_kaldis_bytes(text: str, model: str, options: list[str], tmp_path: Path) -> None:
    out = str(tmp_path / "carpa")
    assert twin("arpa-to-const-arpa").run([*SYMBOLS, *options, str(DATA / text), out]) == 0
    assert Path(out).read_bytes() == (DATA / model).read_bytes()
    read = read_const_arpa(out)
    with open_output(str(tmp_path / "again")) as stream:
        write_const_arpa(stream, read)
    assert (tmp_path / "again").read_bytes() == (DATA / model).read_bytes()


def ngrams(path: Path) -> dict[tuple[int, ...], tuple[float, float]]:
    """Natural logarithms of probability and backoff."""
    found = {}
    order = 0
    for line in path.read_text().splitlines():
        if line.startswith("\\") and line[1].isdigit():
            order = int(line[1])
        elif order and line and not line.startswith("\\"):
            fields = line.split()
            backoff = float(fields[order + 1]) if len(fields) > order + 1 else 0.0
            found[tuple(map(int, fields[1 : order + 1]))] = (
                float(fields[0]) * math.log(10),
                backoff * math.log(10),
            )
    return found


def log_probability(table: dict[tuple[int, ...], tuple[float, float]], history: tuple[int, ...], word: int) -> float:
    """By the definition of a backoff model; as in Kaldi, a history that nothing follows costs nothing to leave."""
    if (*history, word) in table:
        return table[(*history, word)][0]
    backoff = table[history][1] if any(ngram[:-1] == history for ngram in table) else 0.0
    return backoff + log_probability(table, history[1:], word)


@pytest.mark.parametrize("farthest", [(1 << 30) - 1, 0])
def test_probabilities_are_those_of_the_arpa_file(farthest: int) -> None:
    """Also where most n-grams are too far from each other for what a number can hold."""
    table = ngrams(DATA / "lm.int")
    arpa = compile_const_arpa(str(DATA / "lm.int"), BEGIN, END, farthest=farthest)
    assert (len(arpa.overflow) > 2) == (farthest == 0)
    model = _csrc.ConstArpaModel(arpa.native)
    random = np.random.default_rng(0)
    for _ in range(50):
        state, said = model.start, (BEGIN,)
        for word in random.integers(1, 7, 6).tolist():
            state, cost = model.follow(state, word)
            assert cost == pytest.approx(-log_probability(table, said[-2:], word), rel=1e-5)
            said = (*said, word)
            assert model.final(state) == pytest.approx(-log_probability(table, said[-2:], END), rel=1e-5)


def test_words_that_the_model_lacks() -> None:
    without = _csrc.ConstArpaModel(compile_const_arpa(str(DATA / "small.int"), BEGIN, END).native)
    unknown = _csrc.ConstArpaModel(compile_const_arpa(str(DATA / "small.int"), BEGIN, END, 5).native)
    assert without.follow(without.start, 3) is None and without.follow(without.start, 1000) is None
    _, cost = unknown.follow(unknown.start, 3)
    assert cost == unknown.follow(unknown.start, 5)[1]
    _, cost = unknown.follow(unknown.follow(unknown.start, 1000)[0], 1)
    assert cost == pytest.approx(0.8 * math.log(10)), "after an unknown word there is no history"


def in_old_form(model: ConstArpa) -> bytes:
    """As Kaldi wrote it until 2014: no tokens, and before each number its size."""
    numbers = [model.begin, model.end, model.unknown, model.order, len(model.words) // 4]
    words = model.words.view("<i4").tolist()
    data = b"".join(struct.pack("<bi", 4, number) for number in [*numbers, *words])
    for places in (model.unigrams, model.overflow):
        data += struct.pack("<bi", 4, len(places)) + b"".join(struct.pack("<bq", 8, place) for place in places.tolist())
    return b"\0B" + data


def test_old_form(tmp_path: Path) -> None:
    model = read_const_arpa(f"cat {DATA / 'G.carpa'} |")
    (tmp_path / "old").write_bytes(in_old_form(model))
    old = read_const_arpa(str(tmp_path / "old"))
    for name in ("words", "unigrams", "overflow"):
        np.testing.assert_array_equal(getattr(old, name), getattr(model, name))
    assert (old.begin, old.end, old.unknown, old.order) == (8, 9, -1, 3)


def test_damaged_files_are_errors(tmp_path: Path) -> None:
    """Cut anywhere, or with any byte changed: an error, or a model that is asked without going astray."""
    good = (DATA / "G.carpa").read_bytes()
    path = tmp_path / "bad"
    for size in range(0, len(good), 3):
        path.write_bytes(good[:size])
        with pytest.raises(KaldiError):
            read_const_arpa(str(path))
    for place in range(0, len(good), 2):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :])
        try:
            model = _csrc.ConstArpaModel(read_const_arpa(str(path)).native)
            for word in range(1, 7):
                step = model.follow(model.start, word)
                if step is not None:
                    model.final(step[0])
        except (KaldiError, ValueError):
            pass


def refused(text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], *options: str) -> str:
    (tmp_path / "arpa").write_text(text)
    arguments = [*(options or SYMBOLS), str(tmp_path / "arpa"), str(tmp_path / "out")]
    assert twin("arpa-to-const-arpa").run(arguments) == 255
    assert not (tmp_path / "out").exists()
    return capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "\\data\\ section missing or empty"),
        (TWO.replace("-0.2 1 2", "-0.2 3 2"), "n-gram [ 3 2 ] does not have a parent"),
        (TWO.replace("-0.75 2", "-0.75 1"), "N-gram [ 1 ] appears twice"),
        (TWO.replace("-0.2 1 2", "-0.2 1 b"), "invalid symbol 'b'"),
        (TWO.replace("-0.2 1 2", "-0.2 1 -2"), "invalid symbol '-2'"),
        (TWO.replace("-0.2 1 2", "-0.2 1 0"), "epsilon symbol '0'"),
        (TWO.replace("\\end\\\n", ""), "expecting \\end\\"),
    ],
)
def test_what_is_no_model_of_numbers(
    text: str, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(text, tmp_path, capfd)


def test_symbols_must_be_given(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "Please set --bos-symbol" in refused(TWO, tmp_path, capfd, "--bos-symbol=8")
    assert "differ from each other" in refused(TWO, tmp_path, capfd, "--bos-symbol=8", "--eos-symbol=8")


@pytest.mark.parametrize("change", [{"begin": 0}, {"end": 10}, {"unknown": 0}, {"order": 0}, {"unigrams": [999]}])
def test_models_that_make_no_sense(change: dict[str, Any], tmp_path: Path) -> None:
    model = read_const_arpa(str(DATA / "G.carpa"))
    for name, value in change.items():
        setattr(model, name, np.resize(np.array(value, np.int64), 10) if isinstance(value, list) else value)
    with open_output(str(tmp_path / "bad")) as stream:
        assert isinstance(stream, OutputStream)
        write_const_arpa(stream, model)
    with pytest.raises(KaldiError, match="no sense|unknown word|outside"):
        read_const_arpa(str(tmp_path / "bad"))
