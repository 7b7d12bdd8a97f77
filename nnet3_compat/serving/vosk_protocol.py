"""A stream as vosk-server's clients speak: a config, samples, the end; an answer to each but the first.

    {"config": {"sample_rate": 16000, "words": true, "max_alternatives": 0, "phrase_list": ["yes", "no"]}}
    16-bit PCM, little endian: a partial result, or at an endpoint a result
    {"reset": 1}: the result of what was heard, after which another stream may follow
    {"eof": 1}: the final result, after which the connection ends

(alphacep/vosk-server, websocket/asr_server.py.)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kaldi_bridge.errors import KaldiError
from nnet3_compat.recognition.model import Model
from nnet3_compat.recognition.recognizer import Recognizer
from nnet3_compat.recognition.results import Result
from nnet3_compat.serving.engine import Work

MOST_ALTERNATIVES = 100
MOST_PHRASES = 10000


@dataclass(frozen=True)
class Answer:
    """Attributes: whether ``result`` is one of a whole segment; whether it is the ``last`` one."""

    result: Result
    whole: bool = True
    last: bool = False


class VoskStream:
    """What the messages of one client mean.

    Args:
        sample_frequency: of clients that do not tell their own.
    """

    def __init__(self, model: Model, sample_frequency: float) -> None:
        self._model = model
        self._config: dict[str, Any] = {"sample_rate": sample_frequency}
        self._recognizer: Recognizer | None = None

    @property
    def seconds(self) -> float:
        """How much came in."""
        return self._recognizer.seconds if self._recognizer is not None else 0.0

    def take(self, message: str | bytes) -> Work[Answer] | None:
        """What is to be done for the answer; None where a message has none.

        Raises KaldiError for messages that make no sense.
        """
        if isinstance(message, bytes):
            return self._speech(message)
        request = _parse(message)
        if "config" in request:
            self._configure(request["config"])
            return None
        if "eof" in request:
            return self.end()
        if "reset" in request:
            return self.end(last=False)
        raise KaldiError('a message should be samples, or {"config": ...}, {"eof": 1} or {"reset": 1}')

    def end(self, last: bool = True) -> Work[Answer]:
        """What gives the final result."""
        recognizer = self._ready()
        recognizer.feed_end()
        while (chunks := recognizer.chunks()) is not None:
            recognizer.search((yield chunks))
        return Answer(recognizer.final(), last=last)

    def _speech(self, data: bytes) -> Work[Answer]:
        recognizer = self._ready()
        recognizer.feed(data)
        while (chunks := recognizer.chunks()) is not None:
            recognizer.search((yield chunks))
        if recognizer.at_endpoint():
            return Answer(recognizer.result())
        return Answer(recognizer.partial(), whole=False)

    def _configure(self, config: Any) -> None:
        if not isinstance(config, dict):
            raise KaldiError('"config" should be an object')
        if self._recognizer is not None:
            raise KaldiError('"config" should come before the samples')
        self._config.update(config)
        if "model" in config:
            raise KaldiError('"model" is not for clients to choose: this server has one')
        _check(self._config)

    def _ready(self) -> Recognizer:
        if self._recognizer is None:
            config = self._config
            self._recognizer = Recognizer(
                self._model,
                float(config["sample_rate"]),
                words=bool(config.get("words", True)),
                partial_words=bool(config.get("partial_words", False)),
                max_alternatives=int(config.get("max_alternatives", 0)),
            )
            if config.get("phrase_list"):
                self._recognizer.set_grammar(config["phrase_list"])
        return self._recognizer


def _parse(message: str) -> dict[str, Any]:
    try:
        request = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise KaldiError(f"a message is no JSON: {error}") from error
    if not isinstance(request, dict):
        raise KaldiError("a message in JSON should be an object")
    return request


def _check(config: dict[str, Any]) -> None:
    """Raises KaldiError for values that make no sense."""
    rate = config["sample_rate"]
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 1000 <= rate <= 192000:
        raise KaldiError(f'"sample_rate" should be 1000 to 192000 Hz, not {json.dumps(rate)[:40]}')
    alternatives = config.get("max_alternatives", 0)
    if not isinstance(alternatives, int) or not 0 <= alternatives <= MOST_ALTERNATIVES:
        raise KaldiError(f'"max_alternatives" should be 0 to {MOST_ALTERNATIVES}')
    for key in ("words", "partial_words"):
        if not isinstance(config.get(key, 0), int):
            raise KaldiError(f'"{key}" should be true or false')
    phrases = config.get("phrase_list", [])
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) for phrase in phrases):
        raise KaldiError('"phrase_list" should be a list of texts')
    if len(phrases) > MOST_PHRASES:
        raise KaldiError(f'"phrase_list" should have at most {MOST_PHRASES} texts')
