"""How text is cut into words and shown; and that it is done in one place."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import as_utf8, decode, encode, fields, is_number, is_utf8, key_and_rest, shown, strip, words
from kaldi_bridge.io.text_files import check_spaces, in_order, read_lines, read_text, write_rows, write_text
from tests.helpers.places import ROOT

# Spaces, line ends and separators of Unicode, as Python's str.split() knows them, which separate nothing in Kaldi.
NO_SPACES = "\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2003\u2028\u2029\u202f\u3000"


def test_words_are_cut_at_the_spaces_of_c() -> None:
    assert words(" a\tb\vc\fd\re\n") == ["a", "b", "c", "d", "e"]
    assert words(b"caf\xe9 na\xc3\xafve\n") == ["caf\udce9", "naïve"]
    for other in NO_SPACES:
        assert words(f"a{other}b c") == [f"a{other}b", "c"]
        assert fields(encode(f"a{other}b c")) == [encode(f"a{other}b"), b"c"]
        assert strip(f" {other}a\n") == f"{other}a"
        assert key_and_rest(f"k {other} b \n") == ("k", f"{other} b")
    assert key_and_rest(" \r\n") == ("", "")
    assert key_and_rest(b"k\n") == ("k", "")


@pytest.mark.parametrize("data", [b"", b"caf\xe9", bytes(range(256)), "naïve 中".encode()])
def test_bytes_come_back(data: bytes) -> None:
    assert encode(decode(data)) == data
    assert as_utf8(decode(data)) == data.decode(errors="replace")


def test_sorted_by_bytes() -> None:
    keys = [decode(key) for key in (b"\x80", b"\xc3\xa9", b"\xe9", b"\xf0\x9f\x98\x80", b"\xff")]
    assert in_order(reversed(keys)) == keys != sorted(keys)


def test_numbers_have_ascii_digits() -> None:
    assert is_number("012")
    for text in ("", "-1", "1_000", "²", "٣", "1" * 19):
        assert not is_number(text)


def test_what_is_shown_is_escaped_and_cut() -> None:
    assert shown(b"caf\xe9\x00\x1b[31m") == r"'caf\xe9\x00\x1b[31m'"
    assert len(shown(b"x" * 10_000_000)) == 82
    assert is_utf8("naïve") and not is_utf8(decode(b"caf\xe9"))


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a | b '\udce9"  # no extended filename: just a path
    write_text(path, "u1 caf\udce9\u00a0x\n\n u2\r\n")
    assert path.read_bytes() == b"u1 caf\xe9\xc2\xa0x\n\n u2\r\n"
    assert read_lines(path) == [("u1", "caf\udce9\u00a0x"), ("u2", "")]
    write_rows(path, {"b": "1", "\udce9": "2", "\u00e9": ""})
    assert path.read_bytes() == b"b 1\n\xc3\xa9\n\xe9 2\n"
    with pytest.raises(KaldiError, match="nowhere"):
        read_text(tmp_path / "nowhere")
    with pytest.raises(KaldiError, match="nowhere"):
        write_text(tmp_path / "nowhere/x", "")


@pytest.mark.parametrize("space", ["\r", "\v", "\x85", "\xa0", "\u2028", "\u3000"])
def test_spaces_that_mislead(space: str, tmp_path: Path) -> None:
    """As validate_text.pl has it, which looks only at what is UTF-8."""
    path = tmp_path / "text"
    path.write_bytes(f"a one\nb x{space}y\n".encode())
    with pytest.raises(KaldiError, match="text: line 2 has a space"):
        check_spaces(path)
    path.write_bytes(path.read_bytes() + b"c caf\xe9\n")
    check_spaces(path)


def test_messages_show_the_bytes_they_were_given(tmp_path: Path) -> None:
    """The locale that recipes set has nothing to say about it."""
    (tmp_path / "ref").write_bytes(b"caf\xe9 one\n")
    (tmp_path / "hyp").write_bytes(b"other one\n")
    for locale in ("C", "C.UTF-8"):
        result = subprocess.run(
            [sys.executable, "-m", "kaldi_bridge.commands.bin.compute_wer", "ark:ref", "ark:hyp"],
            cwd=tmp_path,
            env={"LC_ALL": locale, "PYTHONPATH": str(ROOT)},
            capture_output=True,
        )
        assert result.returncode == 255
        assert b"No hypothesis for key caf\xe9 and" in result.stderr


# One place decides: nothing else cuts text as Python does, or opens a file as text.

CUTTING = ("split", "rsplit", "strip", "lstrip", "rstrip")  # without the characters to cut at
CLASSES = ("isspace", "isdigit", "isnumeric", "isdecimal", "splitlines")


def _faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in ("surrogateescape", "utf-8", "utf8"):
            yield node.lineno, repr(node.value)
        if not isinstance(node, ast.Call):
            continue
        function, arguments = node.func, [*node.args, *node.keywords]
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        first = node.args[0] if node.args else None
        if isinstance(function, ast.Attribute):
            if name in (*CUTTING, "encode", "decode", "read_text") and not arguments:
                yield node.lineno, f".{name}()"
            if name in ("split", "rsplit") and isinstance(first, ast.Constant) and first.value is None:
                yield node.lineno, f".{name}(None)"
            if name in CLASSES:
                yield node.lineno, f".{name}()"
        if name == "open" and isinstance(function, ast.Name):
            mode = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], ast.Constant) else "r"
            if "b" not in str(mode):
                yield node.lineno, "open() as text"


@pytest.mark.parametrize("package", ["kaldi_bridge", "nnet3_compat", "steps_pytorch"])
def test_one_place_decides_how_text_is_read_and_cut(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in sorted((ROOT / package).rglob("*.py"))
        if path != ROOT / "kaldi_bridge/io/text.py"
        for line, what in _faults(ast.parse(path.read_bytes()))
    ]
    assert not found, "use kaldi_bridge.io.text or text_files instead:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "code", ["x.split()", "x.strip()", "x.splitlines()", "open(x)", 'open(x, "w")', "x.read_text()", "x.split(None, 1)"]
)
def test_what_is_forbidden_is_found(code: str) -> None:
    assert list(_faults(ast.parse(code)))
    assert not list(_faults(ast.parse('x.split(","); x.rstrip("\\n"); open(x, "rb"); words(x)')))


def test_grep_of_shell_steps_takes_any_bytes_for_text() -> None:
    """Without -a it says "binary file matches" instead of lines, where a log or table has bytes that are no UTF-8."""
    calls = [
        f"{path.relative_to(ROOT)}: {call}"
        for folder in ("steps_pytorch", "utils")
        for path in sorted((ROOT / folder).rglob("*.sh"))
        for call in re.findall(r"(?<![\w./-])grep +-?\S*", path.read_text())
        if not re.match(r"grep +-\w*[aq]", call)
    ]
    assert not calls
