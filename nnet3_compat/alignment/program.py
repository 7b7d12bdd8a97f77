"""What nnet-pytorch-align does: transcripts aligned, and written by recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from nnet3_compat.alignment.options import AlignerOptions
from nnet3_compat.alignment.transcribed import Transcribed, of_data_dir, of_files
from nnet3_compat.recognition.formats import DOCUMENTS, NAMED, PHONE_CTM, SEGMENTS
from nnet3_compat.recognition.output_files import check_output, write_parts
from nnet3_compat.recognition.results import Result

Outcome = tuple[Transcribed, Result | KaldiError]


@dataclass
class AlignmentOptions(AlignerOptions):
    """What is aligned, and what is written of it."""

    output: str = option("ctm", f"What is written, a list with commas: {'|'.join([*SEGMENTS, *DOCUMENTS])}")
    output_dir: str = option("", "Write a file for each recording to this directory, instead of the standard output")
    channel: int = option(0, "Channel of wave files that is aligned, the first one being 0")


def align(options: AlignmentOptions, model_in: str, *inputs: str) -> int:
    """Aligns a data directory, or recordings with their transcripts; writes, reports, returns the exit status.

    Raises KaldiError for a model that cannot be used, and for options or inputs that make no sense.
    """
    outputs = words(options.output.replace(",", " "))
    utterances = _utterances(options, inputs)
    several = len({utterance.recording for utterance in utterances}) > 1
    _check(options, outputs, several)
    from nnet3_compat.alignment.aligner import TextAligner

    texts = chain.from_iterable(utterance.words for utterance in utterances)
    aligner = TextAligner(model_in, texts, options)
    if PHONE_CTM in outputs and not aligner.knows_phones:
        raise KaldiError(
            f"--output={PHONE_CTM}: the model's folder has no phones.txt, so phones have no names: give --lang"
        )
    done = failed = 0
    for recording, outcomes in groupby(aligner.align(utterances), lambda outcome: outcome[0].recording):
        results = []
        for utterance, result in outcomes:
            if isinstance(result, KaldiError):
                log.warning(f"Failed to align {utterance.name}: {result}")
                failed += 1
            else:
                results.append(result if utterance.name == recording else {**result, "utterance": utterance.name})
        done += len(results)
        if results:
            _write(options, outputs, recording, several, results)
    aligner.vocabulary.report()
    log.info(f"Aligned {done} utterances, {failed} with errors.")
    return 0 if done else 1


def _utterances(options: AlignmentOptions, inputs: tuple[str, ...]) -> list[Transcribed]:
    if options.channel < 0:
        raise KaldiError("--channel must not be negative")
    if len(inputs) == 1:
        if not Path(inputs[0]).is_dir():
            raise KaldiError(
                f"{inputs[0]} is no data directory; a recording needs the file of its transcript behind it"
            )
        utterances = list(of_data_dir(inputs[0], options.channel))
    else:
        utterances = list(of_files(inputs, options.channel))
    if not utterances:
        raise KaldiError(f"{inputs[0]} has no transcribed utterances")
    return utterances


def _check(options: AlignmentOptions, outputs: list[str], several: bool) -> None:
    for output in outputs:
        check_output(output)
    if not outputs:
        raise KaldiError("--output= says that nothing is to be written")
    if options.output_dir:
        return
    if len(outputs) > 1:
        raise KaldiError(f"--output={options.output}: give --output-dir for several outputs")
    if several and outputs[0] in DOCUMENTS:
        raise KaldiError(f"--output={outputs[0]} is one document for each recording: give --output-dir for several")


def _write(
    options: AlignmentOptions, outputs: Iterable[str], recording: str, several: bool, results: list[Result]
) -> None:
    for output in outputs:
        write_parts(options.output_dir, recording, output, _parts(options, output, recording, several, results))


def _parts(
    options: AlignmentOptions, output: str, recording: str, several: bool, results: list[Result]
) -> Iterator[str]:
    if output in DOCUMENTS:
        yield DOCUMENTS[output](results, 0.0)
        return
    shown = recording if output in NAMED or (several and not options.output_dir) else ""
    for result in results:
        yield SEGMENTS[output](shown, result)
