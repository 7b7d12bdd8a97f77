"""One stream of speech to a model: samples in, results out (the class that vosk.KaldiRecognizer is).

    recognizer = Recognizer(Model("vosk-model-small-en-us-0.15"), 16000, words=True)
    for data in microphone:
        if recognizer.accept(data):
            print(recognizer.result())
        else:
            print(recognizer.partial())
    print(recognizer.final())

A server that computes the network for many streams at once takes ``accept`` apart:

    recognizer.feed(data)
    while (chunks := recognizer.chunks()) is not None:
        recognizer.search(model.setup.computer.compute(chunks))
    if recognizer.at_endpoint(): ...

and at the end calls ``feed_end`` and the same before ``final``.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Sequence
from enum import Enum

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.io.text import shown
from kaldi_bridge.lang.phrase_grammar import numbers_of, phrase_grammar
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.decoder import Decoded
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.online.endpointing import phone_set
from kaldi_bridge.online.features import OnlineFeatures, OnlineSpeaker
from nnet3_compat.recognition.model import Model
from nnet3_compat.recognition.results import Result, empty_result
from nnet3_compat.recognition.samples import SampleReader, Samples
from nnet3_compat.recognition.speaker_model import SpeakerModel, SpeakerStream
from nnet3_compat.utterances.online_computation import Chunk
from nnet3_compat.utterances.online_stream import OnlineStream

STEP = 0.2  # seconds of speech that go through the network and the search at a time
GRAPH_SCALE = 0.9  # of the lattices that results are made of
MOST_FRAMES = 20000  # of output, after which an endpoint begins the features anew, to bound memory
MOST_SPOKEN = 500  # frames of output, the last ones of a segment, of which the speaker's vector is made


class _State(Enum):
    BEGUN = 0  # nothing was accepted yet
    RUNNING = 1
    ENDED = 2  # a result was given: what follows is a new segment
    FINISHED = 3  # the final result was given: what follows is a new stream


class Recognizer:
    """Recognizes one stream of samples, segment by segment.

    Args:
        sample_frequency: of the samples, in Hz; other than the model's, they are resampled.
        words: whether results have times and confidences of words.
        partial_words: the same of partial results.
        max_alternatives: if not 0, results are the best so many alternatives.
        phones: whether results have times of phones.
        speaker_model: by which results have vectors that tell speakers apart.

    Attributes:
        endpointing: the rules by which a segment ends; the recognizer's own copy of the model's.

    Raises:
        KaldiError: for a rate that cannot be resampled, or ``phones`` of which the model does not tell the names.
    """

    def __init__(
        self,
        model: Model,
        sample_frequency: float,
        *,
        words: bool = False,
        partial_words: bool = False,
        max_alternatives: int = 0,
        phones: bool = False,
        speaker_model: SpeakerModel | None = None,
    ) -> None:
        if not (math.isfinite(sample_frequency) and sample_frequency > 0):
            raise KaldiError(f"{sample_frequency} Hz is no sampling rate")
        if phones and not model.results.knows_phones:
            raise KaldiError("the model's folder has no phones.txt, which names the phones, so none can have times")
        if sample_frequency < model.sample_frequency:
            log.warning(
                f"The model was made for speech at {model.sample_frequency:g} Hz: at {sample_frequency:g} Hz it lacks "
                "the higher frequencies and is recognized worse"
            )
        self.model, self.sample_frequency = model, sample_frequency
        self._setup = model.setup
        self.words, self.partial_words, self.phones = words, partial_words, phones
        self.max_alternatives, self._speaker_model = max_alternatives, speaker_model
        self.endpointing = dataclasses.replace(model.options)
        self._reader = SampleReader()
        self._accepted = 0  # samples of this stream
        self._origin = 0.0  # seconds of the streams before it
        self._begin_stream()

    def _begin_stream(self) -> None:
        features = self._setup.features
        speaker = OnlineSpeaker(features)
        self._stream = OnlineStream(self._setup, OnlineFeatures(features, speaker, self.sample_frequency))
        self._speaker: SpeakerStream | None = None
        if self._speaker_model is not None:
            self._speaker = SpeakerStream(self._speaker_model, self.sample_frequency)
        self._steps: deque[tuple[np.ndarray, bool]] = deque()
        self._origin += self._accepted / self.sample_frequency
        self._accepted = 0
        self._is_fed = False  # to the end
        self._state = _State.BEGUN

    def accept(self, data: Samples) -> bool:
        """Takes the next samples; whether the speaker has come to an end, so that ``result`` is to be asked for.

        Args:
            data: bytes of 16-bit PCM, or [samples], int16 or floating point at the scale of 16-bit integers.
        Raises:
            KaldiError: ``data`` is something else.
        """
        self.feed(data)
        self._advance()
        return self.at_endpoint()

    def partial(self) -> Result:
        """What was heard since the last result: {"partial": text}, and "partial_result" with ``partial_words``."""
        if self._state is not _State.RUNNING or not self._stream.decoder.num_frames:
            return {"partial": ""}
        if not self.partial_words:
            words = self._stream.decoder.best_words()
            return {"partial": " ".join(self.model.words[word] for word in words)}
        lattice = self._scored(self._stream.decoder.outcome_so_far())
        if lattice is None:
            return {"partial": ""}
        text, words_heard = self.model.results.best(lattice, self._seconds, partial=True)
        return {"partial": text, "partial_result": words_heard} if words_heard else {"partial": text}

    def result(self) -> Result:
        """What was heard since the last result; what is accepted next begins a new segment."""
        if self._state is not _State.RUNNING:
            return self._nothing()
        self._state = _State.ENDED
        return self._result()

    def final(self) -> Result:
        """The same at the end of the stream: also of the last samples, whose context is missing.

        What is accepted next begins a new stream, whose times go on.
        """
        if self._state is not _State.RUNNING:
            return self._nothing()
        self.feed_end()
        self._advance()
        self._state = _State.FINISHED
        return self._result()

    def reset(self) -> None:
        """Forgets what was heard since the last result; what is accepted next begins a new segment."""
        self._reader.clear()
        self._state = _State.ENDED

    def set_grammar(self, phrases: Sequence[str] | Fst) -> list[str]:
        """What may be said from now on; nothing that was accepted may wait for its result.

        Args:
            phrases: texts; none at all: the model's own grammar again. Or an acceptor of the vocabulary's words, sorted
                by label.
        Returns:
            words of the phrases that are not in the vocabulary, and were left out.
        Raises:
            KaldiError: the model has a whole graph, whose grammar cannot be changed, or nothing is left of the phrases.
        """
        if self._state is _State.RUNNING:
            raise KaldiError("the grammar cannot change while speech is being recognized: ask for the result first")
        unknown: list[str] = []
        if isinstance(phrases, Fst):
            graph = self.model.graphs.with_grammar(phrases)
        elif not phrases:
            graph = self.model.graphs.graph
        else:
            numbers, unknown = numbers_of(phrases, self.model.words)
            for word in unknown:
                log.warning(f"Ignoring word missing in vocabulary: {shown(word)}")
            graph = self.model.graphs.with_grammar(phrase_grammar(numbers))
        self._setup = dataclasses.replace(self.model.setup, graph=graph)
        self._begin_stream()
        return unknown

    @property
    def seconds(self) -> float:
        """How much was accepted in all."""
        return self._origin + self._accepted / self.sample_frequency

    def feed(self, data: Samples) -> None:
        """Takes samples, of which nothing is computed yet. Raises KaldiError as ``accept``."""
        samples = self._reader.read(data)
        if self._state is _State.RUNNING and self._is_fed:
            raise KaldiError("the stream has ended: ask for its final result first")
        if self._state is _State.FINISHED or self._is_fed:
            self._begin_stream()
        elif self._state is _State.ENDED:
            self._begin_segment()
        self._state = _State.RUNNING
        size = max(1, int(self.sample_frequency * STEP))
        self._steps.extend((samples[begin : begin + size], False) for begin in range(0, len(samples), size))
        self._accepted += len(samples)
        if self._speaker is not None:
            self._speaker.hear(samples)

    def feed_end(self) -> None:
        """No samples follow; ``final`` does it too, unless it was done."""
        if self._state is not _State.RUNNING or self._is_fed:
            return
        if self._reader.has_rest:
            log.warning("The stream ends in the middle of a sample, which is left out")
            self._reader.clear()
        self._steps.append((np.zeros(0, np.float32), True))
        self._is_fed = True

    def chunks(self) -> list[Chunk] | None:
        """What the network is to compute for the next 0.2 s that were fed; None when there are none.

        ``search`` with the outputs must follow.
        """
        if not self._steps:
            return None
        self._stream.hear(*self._steps.popleft())
        return self._stream.chunks()

    def search(self, outputs: list[np.ndarray]) -> None:
        """Goes on with the outputs of the chunks that were asked for last."""
        self._stream.search(outputs)

    def at_endpoint(self) -> bool:
        """Whether the speaker has come to an end."""
        return self._stream.endpoint(self.endpointing) > 0

    def _advance(self) -> None:
        while (chunks := self.chunks()) is not None:
            self.search(self.model.setup.computer.compute(chunks))

    def _begin_segment(self) -> None:
        if self._stream.num_frames + self._stream.decoder.num_frames > MOST_FRAMES:
            self._begin_stream()
            return
        self._stream.restart()
        if self._speaker is not None:
            self._speaker.forget(self._stream.num_frames * self.model.options.frame_subsampling_factor)

    def _result(self) -> Result:
        decoded = self._stream.decoder.finish()
        lattice = self._scored(decoded)
        if lattice is not None and self.model.rescoring is not None:
            lattice = self.model.rescoring(lattice)
        if lattice is None or not lattice.num_states:
            return self._nothing()
        lattice = scale(lattice, graph=GRAPH_SCALE)
        results, made = self.model.results, Result()
        if self.max_alternatives:
            made["alternatives"] = results.alternatives(lattice, self.max_alternatives, self._seconds, self.words)
        else:
            made["text"], words = results.best(lattice, self._seconds)
            if self.words and words:
                made["result"] = words
        if self.phones:
            made["phones"] = results.phones(lattice, self._seconds)
        if self._speaker is not None and decoded is not None:
            vector, count = self._speaker.vector(self._spoken_frames(decoded.alignment))
            if vector is not None:
                made["spk"], made["spk_frames"] = vector.tolist(), count
        return made

    def _spoken_frames(self, alignment: list[int]) -> np.ndarray:
        """Frames of features, of the stream, that are no silence in the best path."""
        factor = self.model.options.frame_subsampling_factor
        silence = list(phone_set(self.model.options.silence_phones, "endpoint.silence-phones"))
        spoken = ~np.isin(self.model.setup.model.id_to_phone[alignment], silence)
        spoken[: max(0, len(spoken) - MOST_SPOKEN)] = False
        outputs = self._stream.num_frames + np.flatnonzero(spoken)
        return (factor * outputs[:, np.newaxis] + np.arange(factor)).ravel()

    def _scored(self, decoded: Decoded | None) -> CompactLattice | None:
        """With costs as they were in the search."""
        if decoded is None:
            return None
        assert isinstance(decoded.lattice, CompactLattice)
        return scale(decoded.lattice, acoustic=self.model.options.acoustic_scale)

    def _nothing(self) -> Result:
        return empty_result(self.max_alternatives > 0)

    def _seconds(self, frame: float) -> float:
        return self._origin + (self._stream.num_frames + frame) * self.model.setup.frame_shift
