"""Transcripts aligned with recordings by a model as it is handed on (recognition/)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from kaldi_bridge.errors import KaldiError
from nnet3_compat.alignment.lexicons import open_words
from nnet3_compat.alignment.options import AlignerOptions
from nnet3_compat.alignment.search import Search, TextSearch, together
from nnet3_compat.alignment.times import AlignedTimes
from nnet3_compat.alignment.transcribed import Transcribed
from nnet3_compat.recognition.results import Result


class TextAligner:
    """Aligns any number of utterances.

    Args:
        path: folder of the model, for Vosk or Kaldi's for online decoding.
        texts: words of the transcripts, as they are written.

    Attributes:
        vocabulary: reports the words that were unknown.
        knows_phones: whether results have phones.

    Raises:
        KaldiError: files are missing, cannot be read or do not fit together.
    """

    def __init__(self, path: str, texts: Iterable[str], options: AlignerOptions | None = None) -> None:
        self._options = options = options or AlignerOptions()
        self._model, words = open_words(path, texts, options)
        self.vocabulary, self._graphs = words.vocabulary, words.graphs
        self.knows_phones = words.phones is not None
        self._search = TextSearch(self._model, options.beam, options.retry_beam)
        self._times = AlignedTimes(self._model.transitions, words.aligner, words.phones, self._model.frame_shift)

    def align(self, utterances: Iterable[Transcribed]) -> Iterator[tuple[Transcribed, Result | KaldiError]]:
        """In their order, each with its result, or with the error by which there is none."""
        begun: deque[Transcribed] = deque()

        def searches() -> Iterator[Search[Result]]:
            for utterance in utterances:
                begun.append(utterance)
                yield self._aligned(utterance)

        for outcome in together(self._model.computer, searches(), self._options.batch_size):
            yield begun.popleft(), outcome

    def _aligned(self, utterance: Transcribed) -> Search[Result]:
        spoken = self.vocabulary.spoken(utterance.words)
        graph = self._graphs.of_words([number for _, numbers in spoken for number in numbers])
        path = yield from self._search.run(utterance.name, graph, utterance.open)
        return self._times.result(path, spoken, utterance.start)
