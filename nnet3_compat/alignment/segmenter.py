"""Long recordings with their texts, which need not be right in all places, into segments whose texts are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from kaldi_bridge.errors import KaldiError
from nnet3_compat.alignment.hearing import hear
from nnet3_compat.alignment.lexicons import open_words
from nnet3_compat.alignment.options import SegmentationOptions
from nnet3_compat.alignment.search import Search, together
from nnet3_compat.alignment.segmentation import TextSegment, segments_of
from nnet3_compat.alignment.transcribed import Transcribed

Segmented = tuple[list[TextSegment], float]
"""The segments, and how many seconds of recording there are."""


class TextSegmenter:
    """Segments any number of recordings: ``path`` and ``texts`` as of ``open_words``, which says what is raised.

    Attributes:
        vocabulary: reports the words that were unknown.
    """

    def __init__(self, path: str, texts: Iterable[str], options: SegmentationOptions | None = None) -> None:
        self._options = options or SegmentationOptions()
        self._model, self._words = open_words(path, texts, self._options)
        self.vocabulary = self._words.vocabulary

    def segments(self, utterances: Iterable[Transcribed]) -> Iterator[tuple[Transcribed, Segmented | KaldiError]]:
        """In their order, each with its segments, or with the error by which there are none."""
        begun: deque[Transcribed] = deque()

        def searches() -> Iterator[Search[Segmented]]:
            for utterance in utterances:
                begun.append(utterance)
                yield self._segmented(utterance)

        for outcome in together(self._model.computer, searches(), self._options.batch_size):
            yield begun.popleft(), outcome

    def _segmented(self, utterance: Transcribed) -> Search[Segmented]:
        spoken = self.vocabulary.spoken(utterance.words)
        graph = self._words.graphs.of_text([number for _, numbers in spoken for number in numbers])
        hearing = yield from hear(self._model, graph, self._words.aligner, utterance.open)
        return segments_of(spoken, hearing, self._options), hearing.seconds
