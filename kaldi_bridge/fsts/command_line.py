"""OpenFst's command line (lib/flags.cc): how its programs take flags and files, and how they fail.

Flags begin with one dash or two, ``-flag=value``; a boolean's value may be left out. They end at the first word that is
none. Whatever goes wrong is told in one line, and the exit status is 1.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kaldi_bridge.command import Command, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.options import OptionSpec, UsageError, specs_of

ARC_TYPES = ("standard", "log")
FAILED = 1


@dataclass
class LibraryFlags:
    """What all programs take."""

    v: int = without_effect(0, "verbosity level: there is no more to tell")
    tmpdir: str = without_effect("/tmp", "temporary directory: the system's is taken")
    fst_read_mode: str = without_effect("read", "files are always read, never mapped")
    fst_default_cache_gc: bool = without_effect(True, "nothing is computed on demand")
    fst_default_cache_gc_limit: int = without_effect(1 << 20, "nothing is computed on demand")
    fst_error_fatal: bool = without_effect(True, "errors always are")


HELP = [
    OptionSpec("help", "help", "bool", False, "show usage information"),
    OptionSpec("helpshort", "helpshort", "bool", False, "show brief usage information"),
]


class OpenFstCommand(Command):
    """A program of OpenFst's."""

    @cached_property
    def specs(self) -> list[OptionSpec]:
        """The flags, of the program first."""
        own = specs_of(self._options_class) if self._options_class is not None else []
        return [*own, *specs_of(LibraryFlags), *HELP]

    def _run(self, arguments: list[str], program: str) -> int:
        try:
            values, positional = parse_flags(self.specs, arguments)
        except UsageError as error:
            return _failed(f"FATAL: SetFlags: {error}")
        wrong = len(positional) < self._least or (len(positional) > self._most and not self._many)
        if values["help"] or values["helpshort"] or wrong:
            _tell(self._usage())
            return FAILED
        own = {spec.attribute for spec in self.specs[: -len(HELP) - len(specs_of(LibraryFlags))]}
        options = [self._options_class(**{name: values[name] for name in own})] if self._options_class else []
        try:
            return self.function(*options, *("" if word == "-" else word for word in positional)) or 0
        except KaldiError as error:
            return _failed(f"ERROR: {program.removeprefix('nnet-pytorch-')}: {error}")

    def _usage(self) -> str:
        text = self.usage.rstrip("\n") + "\n\n"
        own = len(self.specs) - len(HELP) - len(specs_of(LibraryFlags))
        for title, specs in (("PROGRAM FLAGS", self.specs[:own]), ("LIBRARY FLAGS", self.specs[own:])):
            text += f"{title}:\n\n" + "".join(map(_flag_lines, specs)) + "\n"
        return text


def openfst_command(function: Callable[..., int | None], *, usage: str) -> OpenFstCommand:
    """Makes a program of a function ``f(options, in="", out="") -> exit status or None``; "" means "-"."""
    return OpenFstCommand(function, usage, False)


def parse_flags(specs: Sequence[OptionSpec], arguments: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Values by attribute, and the words after the flags. Raises UsageError."""
    by_name = {spec.name.replace("-", "_"): spec for spec in specs}
    values = {spec.attribute: spec.default for spec in specs}
    for position, word in enumerate(arguments):
        if not word.startswith("-") or word == "-":
            return values, arguments[position:]
        name, _, text = word.lstrip("-").partition("=")
        spec = by_name.get(name)
        try:
            if spec is None:
                raise UsageError(word)
            values[spec.attribute] = text if spec.type == "string" else spec.parse(text, False)
        except UsageError:
            raise UsageError(f"Bad option: {word}") from None
    return values, []


def _flag_lines(spec: OptionSpec) -> str:
    kind = {"string": "std::string", "int": "int32"}.get(spec.type, spec.type)
    default = {True: "true", False: "false"}.get(spec.default, spec.default) if spec.type == "bool" else spec.default
    shown = f'"{default}"' if spec.type == "string" else f"{default:g}" if isinstance(default, float) else default
    return f"  --{spec.name.replace('-', '_')}: type = {kind}, default = {shown}\n  {spec.help}\n"


def _failed(message: str) -> int:
    _tell(message + "\n")
    return FAILED


def _tell(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()


def read_fst_file(name: str) -> Fst:
    """An FST with arcs of ARC_TYPES; "" is the standard input. Raises KaldiError."""
    with open_input(name) as stream:
        return Fst.read(stream, ARC_TYPES)


def read_fst_files(first: str, second: str) -> tuple[Fst, Fst]:
    """Two FSTs with arcs of one type, not both from the standard input. Raises KaldiError."""
    if not first and not second:
        raise KaldiError("Can't take both inputs from standard input")
    one, other = read_fst_file(first), read_fst_file(second)
    check_same_arcs(one, other)
    return one, other


def threshold(weight: str) -> float:
    """A cost, as flags give it; infinite for none. Raises KaldiError."""
    if not weight or weight == "Infinity":
        return math.inf
    try:
        return float(weight)
    except ValueError:
        raise KaldiError(f"Bad weight: {weight}") from None


def check_same_arcs(one: Fst, other: Fst) -> None:
    """Raises KaldiError for arcs of two types."""
    if arc_type(one) != arc_type(other):
        raise KaldiError(f"Arguments with non-matching arc types {arc_type(one)} and {arc_type(other)}")


def write_fst_file(name: str, fst: Fst, fst_type: str = "vector") -> None:
    """ "" is the standard output."""
    with open_output(name) as stream:
        fst.write(stream, fst_type)


def arc_type(fst: Fst) -> str:
    """OpenFst's name of it: standard, log, lattice4, ..."""
    return fst.header.arc_type if fst.header else "standard"
