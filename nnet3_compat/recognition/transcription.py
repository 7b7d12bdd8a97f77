"""Recordings into results, and these into files or onto the standard output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.wave import read_wave
from nnet3_compat.folded.precision import PrecisionOptions
from nnet3_compat.recognition.formats import DOCUMENTS, NAMED, PHONE_CTM, SEGMENTS
from nnet3_compat.recognition.grammar_files import read_grammar
from nnet3_compat.recognition.output_files import check_output, write_parts
from nnet3_compat.recognition.results import Result, text_of

if TYPE_CHECKING:
    from nnet3_compat.recognition.recognizer import Recognizer

SAMPLES = 4000  # that are handed over at a time, as in Vosk's examples: endpoints depend on it


@dataclass
class TranscriptionOptions(PrecisionOptions):
    """What is recognized, and what is written of it."""

    graph: str = option("", "Directory of the graph, for a directory of Kaldi's that has none inside, or several")
    output: str = option("text", f"What is written: {'|'.join([*SEGMENTS, *DOCUMENTS])}")
    output_dir: str = option("", "Write a file for each recording to this directory, instead of the standard output")
    rate: float = option(0.0, "If not 0: recordings are not wave files but 16-bit PCM of this rate, in Hz")
    channel: int = option(0, "Channel of wave files that is recognized, the first one being 0")
    max_alternatives: int = option(0, "If not 0: so many alternatives for each segment, with their costs")
    phones: bool = option(False, "Times of phones too (json, textgrid; phone-ctm has no others)")
    speaker_model: str = option("", "Folder of a Vosk model of speakers: their vectors in the JSON")
    grammar: str = option(
        "", "File with what may be said (phrases, one on a line; JSGF; ARPA; an FST), for graphs with HCLr.fst"
    )


def transcribe(options: TranscriptionOptions, model_in: str, *recordings: str) -> int:
    """Recognizes recordings, writes, reports; returns the exit status.

    Raises KaldiError for a model that cannot be used, and options that make no sense.
    """
    _check(options, recordings)
    from nnet3_compat.recognition.model import Model
    from nnet3_compat.recognition.recognizer import Recognizer
    from nnet3_compat.recognition.speaker_model import SpeakerModel

    model = Model(model_in, options.graph, options.precision)
    speakers = SpeakerModel(options.speaker_model) if options.speaker_model else None
    grammar = read_grammar(options.grammar, model.words) if options.grammar else None
    failed = 0
    for recording in recordings:
        try:
            rate, pieces = _samples(options, recording)
            recognizer = Recognizer(
                model,
                rate,
                words=True,
                max_alternatives=options.max_alternatives,
                phones=options.phones or options.output == PHONE_CTM,
                speaker_model=speakers,
            )
            if grammar is not None:
                recognizer.set_grammar(grammar)
            _write(options, recording, len(recordings) > 1, recognizer, pieces)
            log.info(f"Recognized {recording}")
        except KaldiError as error:
            log.warning(f"Failed to recognize {recording}: {error}")
            failed += 1
    log.info(f"Recognized {len(recordings) - failed} recordings, {failed} with errors.")
    return 1 if failed else 0


def _check(options: TranscriptionOptions, recordings: tuple[str, ...]) -> None:
    check_output(options.output)
    if options.max_alternatives < 0 or options.channel < 0 or options.rate < 0:
        raise KaldiError("--max-alternatives, --channel and --rate must not be negative")
    if options.output in DOCUMENTS and len(recordings) > 1 and not options.output_dir:
        raise KaldiError(f"--output={options.output} is one document for each recording: give --output-dir for several")


def _samples(options: TranscriptionOptions, recording: str) -> tuple[float, Iterator[bytes | np.ndarray]]:
    """The rate of a recording in Hz, and its samples in pieces. Raises KaldiError for what is no recording."""
    if options.rate:
        return options.rate, _raw(recording)
    with open_input(recording) as stream:
        wave = read_wave(stream)
    if options.channel >= len(wave.data):
        raise KaldiError(f"it has {len(wave.data)} channels, so none is --channel={options.channel}")
    samples = wave.data[options.channel]
    return wave.sample_frequency, (samples[begin : begin + SAMPLES] for begin in range(0, len(samples), SAMPLES))


def _raw(recording: str) -> Iterator[bytes]:
    with open_input(recording) as stream:
        while piece := stream.read_up_to(2 * SAMPLES):
            yield piece


def _recognize(recognizer: Recognizer, pieces: Iterator[bytes | np.ndarray]) -> Iterator[Result]:
    """The results of all segments, the last one also where it is empty."""
    for piece in pieces:
        if recognizer.accept(piece):
            result = recognizer.result()
            if text_of(result):
                yield result
    yield recognizer.final()


def _write(
    options: TranscriptionOptions,
    recording: str,
    is_one_of_several: bool,
    recognizer: Recognizer,
    pieces: Iterator[bytes | np.ndarray],
) -> None:
    name = "stdin" if recording == "-" else Path(recording).stem
    results = _recognize(recognizer, pieces)
    if options.output in DOCUMENTS:
        document = DOCUMENTS[options.output](list(results), recognizer.seconds)
        write_parts(options.output_dir, name, options.output, [document])
        return
    shown = name if options.output in NAMED or (is_one_of_several and not options.output_dir) else ""
    write_parts(
        options.output_dir, name, options.output, (SEGMENTS[options.output](shown, result) for result in results)
    )
