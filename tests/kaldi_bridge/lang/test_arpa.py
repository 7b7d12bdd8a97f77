"""arpa2fst: what real Kaldi's writes, says and returns for the same files, whole and damaged.

``arpa_cases.json`` holds files of our own and what Kaldi's arpa2fst (5.5, with OpenFst 1.7.9) made of them; bytes stand
there as latin-1. Where Kaldi's program is on the PATH, it is run beside ours on files made at random.
"""

import base64
import ctypes
import json
import math
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaldi_bridge.command import run
from kaldi_bridge.commands.lmbin import arpa2fst
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.lang.arpa import compile_arpa

RECORDED = json.loads(Path(__file__).with_name("arpa_cases.json").read_text())
CASES: dict[str, dict[str, Any]] = RECORDED["cases"]
LINE = re.compile(r"(WARNING|ERROR) \([^)]*\(\):[^)]*\) (.*)", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with words.txt in it."""
    (tmp_path / "words.txt").write_text(RECORDED["words.txt"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def messages(stderr: bytes) -> list[str]:
    """Warnings and errors, without their places."""
    found = [LINE.match(line) for line in stderr.decode("latin-1").split("\n")]
    return [f"{match[1]} {match[2]}" for match in found if match]


def same_message(ours: str, kaldis: str) -> bool:
    """An error of ours names the file too, and may say more."""
    (severity, text), (kaldis_severity, kaldis_text) = (line.split(" ", 1) for line in (ours, kaldis))
    squeezed, kaldis_squeezed = (re.sub(r"\s", "", line) for line in (text, kaldis_text))
    same = text == kaldis_text if severity == "WARNING" else kaldis_squeezed.rstrip(".") in squeezed
    return severity == kaldis_severity and same


@pytest.mark.parametrize("name", CASES)
def test_what_kaldi_makes_of_it(name: str, folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    case, fst = CASES[name], folder / f"{name}.fst"
    (folder / f"{name}.arpa").write_bytes(case["arpa"].encode("latin-1"))
    assert run(arpa2fst.main, [*case["options"], f"{name}.arpa", fst.name]) == case["status"]
    said = messages(capfdbinary.readouterr().err)
    if "latin1" not in name:  # how bytes that are no UTF-8 look on stderr is not this program's business
        assert len(said) == len(case["messages"])
        assert all(map(same_message, said, case["messages"]))
    if case["status"]:
        assert not fst.exists()
    else:
        assert fst.read_bytes() == base64.b64decode(case["fst"])
    if "symbols" in case:
        assert (folder / "written.txt").read_text() == case["symbols"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("<eps> 0\na\n", r"words.txt: line 2 \[a\] is not a word and its number"),
        ("<eps> 0\n\na 1 2\n", r"line 3 \[a 1 2\] is not"),
        ("<eps> 0\na 1\r\n", r"line 2 \[a 1\r\] is not"),
        ("<eps> 0\na -1\n", r"line 2 \[a -1\] is not"),
        ("<eps> 0\na 99999999999\n", r"line 2 \[a 99999999999\] is not"),
        ("", "has no symbol for #0"),
    ],
)
def test_tables_that_are_none(words: str, message: str, folder: Path) -> None:
    (folder / "words.txt").write_bytes(words.encode())
    (folder / "lm.arpa").write_text(CASES["unigrams"]["arpa"])
    with pytest.raises(KaldiError, match=message):
        compile_arpa("lm.arpa", "words.txt", disambig_symbol="#0")


def test_tables_in_any_order_and_with_gaps(folder: Path) -> None:
    """A word that comes twice keeps its first number; the order of lines is no matter."""
    (folder / "lm.arpa").write_text(CASES["unigrams"]["arpa"])
    (folder / "words.txt").write_text("</s> 900\nb\t7\n#0 8\n<eps> 0\n\n<s> 2147483647\na 5\nb 6")
    labels = compile_arpa("lm.arpa", "words.txt", disambig_symbol="#0").arcs["ilabel"]
    assert set(labels.tolist()) == {5, 7}


def costs(numbers: list[str], folder: Path) -> np.ndarray:
    """Of unigrams with these logarithms."""
    words = [f"w{i}" for i in range(len(numbers))]
    lines = [f"{number} {word}" for number, word in zip(numbers, words, strict=True)]
    head = f"\\data\\\nngram 1={len(words) + 2}\n\\1-grams:\n0 <s>\n0 </s>\n"
    (folder / "numbers.arpa").write_text(head + "\n".join(lines) + "\n\\end\\\n")
    table = ["<eps>", *words, "#0", "<s>", "</s>"]
    (folder / "numbers.txt").write_text("".join(f"{word} {i}\n" for i, word in enumerate(table)))
    return compile_arpa("numbers.arpa", "numbers.txt", disambig_symbol="#0").arcs["weight"]


def in_c(number: str) -> float:
    """What the C library makes of it, the cost of it in natural logarithms."""
    strtof = ctypes.CDLL(None).strtof
    strtof.restype, strtof.argtypes = ctypes.c_float, [ctypes.c_char_p, ctypes.c_void_p]
    return -np.float32(float(strtof(number.encode(), None)) * math.log(10))


@given(
    numbers=st.lists(
        st.one_of(
            st.builds("{}.{}e{}".format, st.integers(-999, 999), st.integers(0, 10**9), st.integers(-29, 29)),
            st.floats(-99, 0).map(repr),
            st.integers(1 << 24, 1 << 30).map(lambda i: str(2 * i + 1)),  # between two floats
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_numbers_are_those_of_the_c_library(numbers: list[str], folder: Path) -> None:
    numbers = [*numbers, "16777217", "16777219", "-8388609.5", "33554434.00000000001", "-1e-45", ".5", "5."]
    np.testing.assert_array_equal(costs(numbers, folder), [in_c(number) for number in numbers])


@pytest.mark.parametrize("number", ["-1e39", "0x1p3", "1e", "e1", ".", "--1", "1.2.3", "1_0", "٣", "-1,5", "inf."])
def test_what_is_no_number(number: str, folder: Path) -> None:
    with pytest.raises(KaldiError, match=f"invalid n-gram logprob '{re.escape(number)}'"):
        costs([number], folder)


def test_the_lines_of_long_files_are_whole(folder: Path) -> None:
    """Longer than what is read at once."""
    numbers = [f"-{i}.25" for i in range(150_000)]
    np.testing.assert_array_equal(costs(numbers, folder)[::1000], [in_c(number) for number in numbers[::1000]])


DAMAGES = [*"\0\t \r\n\\-1,=\xff", "\\end\\", "\\2-grams:", "inf", "nan", "<s>", "</s>", "#0"]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file of one of the cases in which pieces were put, deleted or copied elsewhere."""
    text = CASES[draw(st.sampled_from(sorted(CASES)))]["arpa"].encode("latin-1")
    for _ in range(draw(st.integers(0, 3))):
        begin, end, to = sorted(draw(st.lists(st.integers(0, len(text)), min_size=3, max_size=3)))
        text = draw(
            st.sampled_from(
                [
                    text[:begin] + draw(st.sampled_from(DAMAGES)).encode("latin-1") + text[begin:],
                    text[:begin] + text[end:],
                    text[:to] + text[begin:end] + text[to:],
                    text[:to],
                ]
            )
        )
    return text


OPTIONS = ["--read-symbol-table=words.txt", "--disambig-symbol=#0", "--ilabel-sort=false", "--keep-symbols=true"]


def kaldis() -> str | None:
    """Kaldi's own program, not a link to ours."""
    path = shutil.which("arpa2fst")
    return path if path and "nnet-pytorch" not in os.path.realpath(path) else None


@given(arpa=damaged(), options=st.lists(st.sampled_from(OPTIONS), unique=True))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
def test_damaged_files(arpa: bytes, options: list[str], folder: Path) -> None:
    """An error, or an acceptor whose file can be read; and where Kaldi's program is there, the same as it."""
    (folder / "lm.arpa").write_bytes(arpa)
    Path("G.fst").unlink(missing_ok=True)
    status = run(arpa2fst.main, [*options, "lm.arpa", "G.fst"])
    assert status == (0 if Path("G.fst").exists() else 255)
    ours = Path("G.fst").read_bytes() if status == 0 else b""
    if status == 0 and b"nan" not in arpa:
        fst = read_fst("G.fst")
        assert 0 <= fst.start < fst.num_states
    if program := kaldis():
        assert subprocess.run([program, *options, "lm.arpa", "G.fst"], stderr=subprocess.DEVNULL).returncode == status
        assert status or Path("G.fst").read_bytes() == ours
