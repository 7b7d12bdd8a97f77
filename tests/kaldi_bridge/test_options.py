"""Kaldi's option grammar."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaldi_bridge.options import STANDARD, UsageError, ignoring, option, parse, specs_of


@dataclass
class Options:
    flag: bool = option(False, "A flag")
    number: int = option(1, "A number")
    real: float = option(1, "A real number")
    text: str = option("", "A text")


SPECS = [*specs_of(Options), *STANDARD]


@pytest.mark.parametrize(
    ("word", "value"),
    [("--flag", True), ("--flag=true", True), ("--FLAG=T", True), ("--flag=1", True), ("--flag=False", False)]
    + [("--flag=f", False), ("--flag=0", False)],
)
def test_booleans(word, value):
    assert parse(SPECS, [word])[0]["flag"] is value


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1.0), ("-1e-3", -0.001), (".5", 0.5), ("5.", 5.0), ("inf", float("inf"))]
)
def test_reals(text, value):
    assert parse(SPECS, [f"--real={text}"])[0]["real"] == value


def test_the_last_one_counts_and_values_are_trimmed():
    assert parse(SPECS, ["--number=1", "--number= +7 "])[0]["number"] == 7


def test_positional_arguments_end_the_options():
    values, positional = parse(SPECS, ["--number=2", "a", "--number=3", "-", "--text=x"])
    assert values["number"] == 2
    assert positional == ["a", "--number=3", "-", "--text=x"]


def test_double_dash():
    assert parse(SPECS, ["--flag", "--", "--number=3"])[1] == ["--number=3"]
    assert parse(SPECS, ["a", "--", "b", "--"])[1] == ["a", "b", "--"]
    assert parse(SPECS, ["--", "--help"])[1] == ["--help"]


def test_config_files_come_before_the_command_line(tmp_path):
    config = tmp_path / "some.conf"
    config.write_text("# all of it\n--number=5  # five\n\n  --real=2.5\n--flag\n--text=a b\n")
    values, positional = parse(SPECS, ["--number=6", f"--config={config}", "x"])
    assert (values["number"], values["real"], values["flag"], values["text"]) == (6, 2.5, True, "a b")
    assert positional == ["x"]


@pytest.mark.parametrize("line", ["number=5", "--nonsense=1", "--number=five", "--"])
def test_bad_lines_in_config_files(line, tmp_path):
    config = tmp_path / "some.conf"
    config.write_text(line + "\n")
    with pytest.raises(UsageError):
        parse(SPECS, [f"--config={config}"])


@pytest.mark.parametrize(
    "line", ["--text=touch X |", "--text=ark:touch X |", "--text=|touch X", "--text=ark:| touch X"]
)
def test_no_command_comes_from_a_config_file(line, tmp_path):
    """It may be a stranger's, beside a model; the command line is one's own."""
    config = tmp_path / "some.conf"
    config.write_text(line + "\n")
    with pytest.raises(UsageError, match="line 1 has a command"):
        parse(SPECS, [f"--config={config}"])
    assert parse(SPECS, [line])[0]["text"] == line.partition("=")[2]


WORDS = st.sampled_from(["--flag", "--number", "--real", "--text", "--verbose", "--config", "--", "--help", "x", "-"])


@given(st.lists(st.tuples(WORDS, st.sampled_from(["", "="]), st.text(max_size=12)).map("".join), max_size=6))
def test_nonsense_is_a_usage_error(words):
    with contextlib.suppress(UsageError):
        parse(SPECS, words)


def test_inherited_options_that_are_ignored():
    """They are still taken, and told apart; the class that they come from stays as it is."""

    @ignoring("Not used here", Options)
    @dataclass
    class More(Options):
        own: int = option(2, "Used here")

    by_name = {spec.name: spec for spec in specs_of(More)}
    assert [name for name, spec in by_name.items() if spec.has_effect] == ["own"]
    assert by_name["number"].help == "Not used here" and by_name["number"].default == 1
    assert all(spec.has_effect for spec in specs_of(Options))
    assert parse([*specs_of(More), *STANDARD], ["--number=3"])[0]["number"] == 3
