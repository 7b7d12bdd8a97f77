"""What was recognized, as Vosk's JSON has it; the same keys in Python dictionaries.

    {"text": "one two", "result": [{"word": "one", "start": 0.3, "end": 0.6, "conf": 0.98}, ...]}
    {"alternatives": [{"text": "one two", "confidence": 120.5, "result": [{"word": "one", ...}, ...]}, ...]}
    {"partial": "one", "partial_result": [...]}
    "phones": [{"phone": "w_B", "start": 0.3, "end": 0.36}, ...]       which Vosk does not have
    "spk": [0.3, ...], "spk_frames": 120                               the speaker's vector, and of how many frames

Times are in seconds. ``conf`` is a probability, ``confidence`` the negated cost of a whole alternative.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

Result = dict[str, Any]
_NOTHING_SAID = '<interpretation confidence="1.0">\n<instance/>\n<input><noinput/></input>\n</interpretation>\n'
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def empty_result(alternatives: bool) -> Result:
    """Where nothing was heard."""
    return {"alternatives": [{"text": "", "confidence": 1.0}]} if alternatives else {"text": ""}


def vosk_json(value: Any, depth: int = 1) -> str:
    """A result as text, laid out as Vosk's: keys in order, numbers with six decimals."""
    if isinstance(value, dict):
        indent = "  " * depth
        members = (f'{indent}"{key}" : {vosk_json(value[key], depth + 1)}' for key in sorted(value))
        return "{\n" + ",\n".join(members) + "\n" + "  " * (depth - 1) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(vosk_json(item, depth + 1) for item in value) + "]"
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, str):
        return f'"{value.translate(_ESCAPES)}"'
    return str(value)


def vosk_nlsml(result: Result) -> str:
    """A result of alternatives in NLSML, the Natural Language Semantics Markup Language, as Vosk's."""
    alternatives = [entry for entry in result["alternatives"] if entry["text"] or len(result["alternatives"]) > 1]
    interpretations = "".join(
        f'<interpretation grammar="default" confidence="{entry["confidence"]:g}">\n'
        f'<input mode="speech">{escape(entry["text"])}</input>\n<instance>{escape(entry["text"])}</instance>\n'
        "</interpretation>\n"
        for entry in alternatives
    )
    return f'<?xml version="1.0"?>\n<result grammar="default">\n{interpretations or _NOTHING_SAID}</result>\n'


def words_of(result: Result) -> list[dict[str, Any]]:
    """The words with their times, of the best alternative where there are several; none where none were asked for."""
    best = result["alternatives"][0] if "alternatives" in result else result
    words: list[dict[str, Any]] = best.get("result", [])
    return words


def text_of(result: Result) -> str:
    """The text, of the best alternative where there are several."""
    best = result["alternatives"][0] if "alternatives" in result else result
    return str(best["text"])
