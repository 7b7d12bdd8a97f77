"""Kaldi's option grammar (util/parse-options.cc): how words become option values, and the usage text."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.filenames import quote
from kaldi_bridge.io.text import REAL, strip
from kaldi_bridge.io.text_files import read_text

T = TypeVar("T")

_INTEGER = re.compile(r"[+-]?[0-9]+")
_TRUE, _FALSE = ("true", "t", "1", ""), ("false", "f", "0")


class UsageError(Exception):
    """The person typed something that is no valid command line. ``show_usage``: the usage text helps here."""

    def __init__(self, message: str, show_usage: bool = False) -> None:
        super().__init__(message)
        self.show_usage = show_usage


def option(default: Any, help: str, *, name: str | None = None, type: str | None = None) -> Any:
    """A field of an options dataclass.

    ``name`` where it is not the attribute with dashes; ``type`` as the usage shows it ("uint", "double"), where it
    is not bool, int, float or string by the default's type.
    """
    return dataclasses.field(default=default, metadata={"help": help, "name": name, "type": type})


def without_effect(default: Any, reason: str, *, name: str | None = None, type: str | None = None) -> Any:
    """A field for an option that is taken, since scripts pass it, and changes nothing: ``reason`` says why."""
    metadata = {"help": reason, "name": name, "type": type, "has_effect": False}
    return dataclasses.field(default=default, metadata=metadata)


def ignoring(reason: str, *options_classes: type) -> Callable[[type[T]], type[T]]:
    """Above a dataclass that inherits from these: their options are taken, and change nothing."""

    def changed(cls: type[T]) -> type[T]:
        fields = cls.__dataclass_fields__  # type: ignore[attr-defined]
        for options_class in options_classes:
            for inherited in dataclasses.fields(options_class):
                own = fields[inherited.name] = copy.copy(inherited)
                own.metadata = MappingProxyType({**inherited.metadata, "help": reason, "has_effect": False})
        return cls

    return changed


@dataclasses.dataclass
class OutputOptions:
    """Of a program that writes an object to a file, and not only tables, whose wspecifiers tell it."""

    binary: bool = option(True, "Write output in binary mode")


@dataclasses.dataclass(frozen=True)
class OptionSpec:
    """One option: the attribute it sets, its name on the command line, its type as Kaldi calls it."""

    attribute: str
    name: str
    type: str
    default: Any
    help: str
    standard: bool = False
    has_effect: bool = True

    @property
    def key(self) -> str:
        """The name as it is compared."""
        return normalize(self.name)

    def usage_line(self) -> str:
        """Its line in the usage text."""
        if self.type == "bool":
            shown = "true" if self.default else "false"
        elif self.type == "string":
            shown = f'"{self.default}"'
        else:
            shown = f"{self.default:g}" if isinstance(self.default, float) else str(self.default)
        return f"  --{self.name:<25} : {self.help} ({self.type}, default = {shown})\n"

    def parse(self, text: str, has_equal_sign: bool) -> Any:
        """The value written as ``text``; raises UsageError naming the option."""
        if self.type == "bool":
            return self._parse_bool(text, has_equal_sign)
        if self.type == "string":
            if not has_equal_sign:
                raise UsageError(f"Invalid option --{self.key} (option format is --x=y).")
            return text
        if self.type in ("int", "uint"):
            low, high = (0, 1 << 32) if self.type == "uint" else (-(1 << 31), 1 << 31)
            if _INTEGER.fullmatch(text) and len(text) < 20 and low <= int(text) < high:
                return int(text)
            raise UsageError(f'Invalid integer option "{text}" (--{self.key})')
        if REAL.fullmatch(text):
            return float(text)
        raise UsageError(f'Invalid floating-point option "{text}" (--{self.key})')

    def _parse_bool(self, text: str, has_equal_sign: bool) -> bool:
        if has_equal_sign and not text:
            raise UsageError(f"Invalid option --{self.key}=")
        if text.lower() in _TRUE:
            return True
        if text.lower() in _FALSE:
            return False
        message = f"Invalid format for boolean argument [expected true or false]: {text} (--{self.key})"
        raise UsageError(message, show_usage=True)


_TYPES = {bool: "bool", int: "int", float: "float", str: "string", "bool": "bool", "int": "int"}
_TYPES |= {"float": "float", "str": "string"}

STANDARD = [
    OptionSpec("config", "config", "string", "", "File of options, one on a line (may be given several times)", True),
    OptionSpec("help", "help", "bool", False, "Print this text", True),
    OptionSpec("print_args", "print-args", "bool", True, "Print the command line (to stderr)", True),
    OptionSpec("verbose", "verbose", "int", 0, "Verbose level (higher: more messages)", True),
    OptionSpec("version", "version", "bool", False, "Print the version (to stdout)", True),
]


def specs_of(options_class: Any) -> list[OptionSpec]:
    """The options of a dataclass, groups that it inherits from included."""
    specs = []
    for field in dataclasses.fields(options_class):
        metadata = field.metadata
        kind = metadata.get("type") or _TYPES[field.type]
        name = metadata.get("name") or field.name.replace("_", "-")
        default: Any = field.default
        if kind in ("float", "double"):
            default = float(default)
        has_effect = metadata.get("has_effect", True)
        specs.append(OptionSpec(field.name, name, kind, default, metadata["help"], has_effect=has_effect))
    return specs


def normalize(name: str) -> str:
    """--A_b and --a-b are the same option."""
    return name.replace("_", "-").lower()


def usage_text(usage: str, specs: list[OptionSpec]) -> str:
    """Usage as Kaldi lays it out; options that change nothing come after the others."""
    own = [s for s in specs if not s.standard]
    sections = {
        "Options:": [s for s in own if s.has_effect],
        "Options without effect, accepted because scripts pass them:": [s for s in own if not s.has_effect],
        "Standard options:": [s for s in specs if s.standard],
    }
    text = "\n" + usage.rstrip("\n") + "\n\n"
    for title, section in sections.items():
        if section:
            text += f"{title}\n" + "".join(s.usage_line() for s in sorted(section, key=lambda s: s.key)) + "\n"
    return text


def parse(specs: list[OptionSpec], arguments: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Option values by attribute, and the positional arguments.

    As in Kaldi, config files are read first wherever they are named, options end at the first argument that is
    none or at "--". Raises UsageError; ``help`` or ``version`` among the values means that nothing else was parsed.
    """
    by_key = {spec.key: spec for spec in specs}
    values = {spec.attribute: spec.default for spec in specs}
    for argument in arguments:
        if argument == "--":
            break
        if argument.startswith("--"):
            key, text, _ = _split(argument)
            if key == "config":
                _read_config(by_key, values, text)
            elif key in ("help", "version"):
                return {**values, key: True}, []
    position = 0
    ended = False
    while position < len(arguments) and arguments[position].startswith("--"):
        argument = arguments[position]
        position += 1
        if argument == "--":
            ended = True
            break
        _set(by_key, values, argument, f"Invalid option {argument}")
    positional = arguments[position:]
    if not ended and "--" in positional:
        positional.remove("--")
    return values, positional


def read_options(path: str, options_class: Callable[..., T]) -> T:
    """A dataclass of options by a file of Kaldi's, one --name=value per line. Raises KaldiError naming the file."""
    specs = specs_of(options_class)
    values = {spec.attribute: spec.default for spec in specs}
    try:
        _read_config({spec.key: spec for spec in specs}, values, path)
    except UsageError as error:
        raise KaldiError(str(error)) from None
    return options_class(**values)


def options_of(words: Sequence[str], options_class: Callable[..., T]) -> T:
    """A dataclass of options by words ``--name=value``. Raises UsageError, also for a word that is no option."""
    values, positional = parse(specs_of(options_class), list(words))
    if positional:
        raise UsageError(f"{positional[0]!r} is no option")
    for word in ("help", "version"):
        if values.pop(word, False):
            raise UsageError(f"--{word} is no option here")
    return options_class(**values)


def joined(specs: list[OptionSpec], arguments: list[str]) -> list[str]:
    """Arguments of a script: ``--key value`` becomes ``--key=value``; a boolean's value may be left out."""
    types = {spec.key: spec.type for spec in specs}
    result: list[str] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        kind = types.get(normalize(word[2:])) if word.startswith("--") and "=" not in word else None
        if words and kind is not None and (kind != "bool" or words[0] in ("true", "false")):
            word += f"={words.pop(0)}"
        result.append(word)
    return result


def _split(argument: str) -> tuple[str, str, bool]:
    name, equal_sign, text = argument[2:].partition("=")
    if not name:
        raise UsageError(f"Invalid option (no key): {argument}", show_usage=True)
    return normalize(name), strip(text), bool(equal_sign)


def _set(by_key: dict[str, OptionSpec], values: dict[str, Any], argument: str, complaint: str) -> None:
    key, text, has_equal_sign = _split(argument)
    spec = by_key.get(key)
    if spec is None:
        raise UsageError(complaint, show_usage=True)
    values[spec.attribute] = spec.parse(text, has_equal_sign)


def _read_config(by_key: dict[str, OptionSpec], values: dict[str, Any], path: str) -> None:
    try:
        lines = read_text(path).split("\n")
    except KaldiError as error:
        raise UsageError(f"Cannot open config file: {path} ({error})") from error
    for number, line in enumerate(lines, 1):
        line = strip(line.partition("#")[0])
        if not line:
            continue
        if not line.startswith("--"):
            raise UsageError(
                f"Reading config file {path}: line {number} is not of the form --x=y "
                "(config files made for shell scripts lack the --)."
            )
        if line.endswith("|") or re.search(r"[=:]\s*\|", line):  # files come with models and data of strangers
            raise UsageError(
                f"Reading config file {path}: line {number} has a command, which a file cannot make a program execute; "
                "it can be given on the command line"
            )
        _set(by_key, values, line, f"Invalid option {line} in config file {path}")


def command_line(words: list[str]) -> str:
    """The command line as one could paste it into the shell."""
    return "".join(quote(word) + " " for word in words) + "\n"
