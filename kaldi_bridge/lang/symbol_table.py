"""Symbol tables in text form: lines of a symbol and its number."""

from __future__ import annotations

from collections.abc import Container
from functools import cached_property

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import is_number, shown, words


class SymbolTable:
    """Words by number and numbers by word."""

    def __init__(self, symbols: dict[int, str]) -> None:
        self.symbols = symbols

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Numbers by word."""
        return {symbol: number for number, symbol in self.symbols.items()}

    @classmethod
    def read(cls, rxfilename: str) -> SymbolTable:
        """Raises KaldiError naming the line that is not a symbol and a number, or repeats one."""
        symbols: dict[int, str] = {}
        with open_input(rxfilename) as stream:
            while line := stream.readline():
                entry = words(line)
                if not entry:
                    continue
                if len(entry) != 2 or not is_number(entry[1]):
                    raise KaldiError(f"{stream.where()}: not a line of a symbol table: {shown(line)}")
                symbols[int(entry[1])] = entry[0]
        if not symbols:
            raise KaldiError(f"Could not read symbol table from file {rxfilename}: it is empty")
        return cls(symbols)

    def only(self, numbers: Container[int]) -> SymbolTable:
        """A table without the other numbers."""
        return SymbolTable({number: symbol for number, symbol in self.symbols.items() if number in numbers})

    def __getitem__(self, number: int) -> str:
        """Raises KaldiError for a number without a symbol."""
        if number not in self.symbols:
            raise KaldiError(f"Word-id {number} not in symbol table.")
        return self.symbols[number]
