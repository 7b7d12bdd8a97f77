"""Chain examples of several languages: KEY?lang=NAME, for a network with an output for each (Kaldi's chain2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kaldi_bridge.examples.chain_examples import ChainExample

DEFAULT = "default"
"""The language of a key that tells none."""


def language_of(key: str) -> str | None:
    """NAME of ``KEY?lang=NAME``, which may stand among others, as in ``KEY?x=1&lang=NAME``."""
    return dict(item.partition("=")[::2] for item in key.partition("?")[2].split("&")).get("lang")


def in_language(example: ChainExample, language: str) -> ChainExample:
    """The same for the language's output: what was for ``output`` is for ``output-LANGUAGE``."""
    name = f"output-{language}"
    return replace(
        example, outputs=[replace(part, name=name) if part.name == "output" else part for part in example.outputs]
    )


def in_their_languages(examples: Iterable[tuple[str, ChainExample]]) -> Iterator[tuple[str, ChainExample]]:
    """Each example for the output of the language that its key tells."""
    for key, example in examples:
        yield key, in_language(example, language_of(key) or DEFAULT)
