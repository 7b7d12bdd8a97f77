"""Whole numbers as options, and lists of them."""

from __future__ import annotations

from kaldi_bridge.errors import KaldiError


def whole_numbers(name: str, text: str, least: int = 1, separator: str | None = None) -> list[int]:
    """Those in an option's value, at least one of them. Raises KaldiError for anything else, or smaller ones."""
    try:
        numbers = [int(word) for word in text.split(separator)]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < least:
        between = "blanks" if separator is None else f"'{separator}'"
        raise KaldiError(f"{name}='{text}' must be whole numbers of at least {least}, with {between} between them")
    return numbers


def at_least_one(options: object, *names: str) -> None:
    """Raises KaldiError for an option that is less."""
    for name in names:
        if getattr(options, name) < 1:
            raise KaldiError(f"--{name.replace('_', '-')}={getattr(options, name)} must be positive")
