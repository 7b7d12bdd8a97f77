"""Grammars in JSGF, the Java Speech Grammar Format, as acceptors of words.

    #JSGF V1.0;
    grammar lights;
    public <command> = (turn | /0.2/ switch) the light (on | off) [please];

Rules may have alternatives with weights, groups, optional parts, ``*`` and ``+``, and other rules; tags ``{...}`` are
passed over. What may be said are the public rules. Without weights alternatives cost nothing, as in a list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.labels import connected
from kaldi_bridge.fsts.rational import closed, concatenated, union
from kaldi_bridge.io.text import shown, strip, words

_COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_TOKENS = re.compile(
    r"\s*(?:(<[^<>\s]+>)|(/[0-9.eE+-]+/)|([|()\[\]*+;=])|\{[^{}]*\}|\"([^\"]*)\"|([^\s<>|()\[\]*+;={}\"]+))"
)
_HEADER = re.compile(r"#JSGF[^;\n]*;?")

Numbers = Callable[[str], int]
"""The number of a word; 0 for one that cannot be said."""


def is_jsgf(text: str) -> bool:
    """Whether a file's text begins as a grammar in JSGF."""
    return strip(text).startswith("#JSGF")


def jsgf_grammar(text: str, number_of: Numbers) -> Fst:
    """The acceptor of what the public rules say.

    Raises KaldiError for what is not in JSGF, imports, rules that lead back to themselves and unknown ones, and where
    nothing can be said.
    """
    parser = _Parser(_tokens(_COMMENTS.sub(" ", _HEADER.sub("", text, count=1))), number_of)
    parser.read_rules()
    public = [parser.rule(name) for name in parser.public]
    if not public:
        raise KaldiError("a grammar in JSGF needs a public rule")
    grammar = public[0]
    for other in public[1:]:
        grammar = union(grammar, other)
    grammar = connected(grammar)
    if grammar.start < 0:
        raise KaldiError("nothing of a grammar in JSGF can be said with the words that there are")
    return grammar


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    text = strip(text)
    while place < len(text):
        match = _TOKENS.match(text, place)
        if match is None:
            raise KaldiError(f"this is not in JSGF: {shown(strip(text[place:]), 40)}")
        rule, weight, mark, quoted, word = match.groups()
        found += [token for token in (rule, weight, mark, *words(quoted or ""), word) if token]
        place = match.end()
    return found


class _Parser:
    """By recursive descent; rules are expanded where others name them."""

    def __init__(self, tokens: list[str], number_of: Numbers) -> None:
        self._tokens, self._at, self._number_of = tokens, 0, number_of
        self._places: dict[str, int] = {}  # where the expansion of each rule begins
        self._open: list[str] = []
        self.public: list[str] = []

    def read_rules(self) -> None:
        while self._at < len(self._tokens):
            words = []
            while self._peek() not in ("=", ";"):
                words.append(self._next())
            if self._next() == ";":  # grammar name;
                if words[:1] == ["import"]:
                    raise KaldiError("grammars in JSGF cannot import others here")
                continue
            name = words[-1] if words else ""
            if not name.startswith("<") or words[:-1] not in ([], ["public"]):
                raise KaldiError(f"no definition of a rule in JSGF: {shown(' '.join(words))}")
            self._places[name] = self._at
            if words[0] == "public":
                self.public.append(name)
            while self._next() != ";":
                pass

    def rule(self, name: str) -> Fst:
        if name == "<NULL>":
            return _nothing()
        if name not in self._places:
            raise KaldiError(f"the grammar has no rule {name}")
        if name in self._open:
            raise KaldiError(f"the rule {name} leads back to itself, which no finite graph can follow")
        self._open.append(name)
        back, self._at = self._at, self._places[name]
        made = self._alternatives(";")
        self._at = back
        self._open.pop()
        return made

    def _alternatives(self, end: str) -> Fst:
        made: Fst | None = None
        while True:
            weight = self._next() if self._peek().startswith("/") else ""
            branch = self._sequence()
            if weight:
                value = float(weight.strip("/"))
                if not value > 0:
                    raise KaldiError(f"the weight {weight} in a grammar in JSGF is not positive")
                branch = branch.changed(finals=branch.finals - math.log(value))
            made = branch if made is None else union(made, branch)
            mark = self._next()
            if mark == end:
                return made
            if mark != "|":
                raise KaldiError(f"expected {end} in a grammar in JSGF, found {mark}")

    def _sequence(self) -> Fst:
        made = _nothing()
        while self._peek() not in ("|", ")", "]", ";"):
            made = concatenated(made, self._repeated(self._one()))
        return made

    def _one(self) -> Fst:
        token = self._next()
        if token == "(":
            return self._alternatives(")")
        if token == "[":
            return union(self._alternatives("]"), _nothing())
        if token.startswith("<"):
            return self.rule(token)
        if token in ("*", "+", "=") or token.startswith("/"):
            raise KaldiError(f"{token} has no place there in a grammar in JSGF")
        number = self._number_of(token)
        return Fst.from_arcs(0, {1: 0.0}, [(0, number, number, 0.0, 1)]) if number else Fst.from_arcs(0, {}, [])

    def _repeated(self, part: Fst) -> Fst:
        while self._peek() in ("*", "+"):
            part = closed(part, plus=self._next() == "+")
        return part

    def _peek(self) -> str:
        if self._at >= len(self._tokens):
            raise KaldiError("a grammar in JSGF ends within a rule")
        return self._tokens[self._at]

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token


def _nothing() -> Fst:
    return Fst.from_arcs(0, {0: 0.0}, [])
