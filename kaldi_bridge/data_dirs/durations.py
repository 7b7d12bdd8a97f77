"""How long recordings and utterances are (featbin/wav-to-duration.cc, utils/data/get_reco2dur.sh)."""

from __future__ import annotations

from collections.abc import Iterator

from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import is_number
from kaldi_bridge.io.text_files import Rows
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, WAVE, WAVE_INFO


def durations(wav_rspecifier: str, read_entire_file: bool = False) -> Iterator[tuple[str, float]]:
    """(recording, seconds): as its header says or, with ``read_entire_file``, of its samples.

    Raises:
        KaldiError: a recording cannot be read, or its header does not tell.
    """
    yield from (_counted if read_entire_file else _from_headers)(wav_rspecifier)


def _counted(wav_rspecifier: str) -> Iterator[tuple[str, float]]:
    with SequentialReader(wav_rspecifier, WAVE) as reader:
        for recording, wave in reader:
            yield recording, wave.data.shape[1] / wave.sample_frequency


def _from_headers(wav_rspecifier: str) -> Iterator[tuple[str, float]]:
    with SequentialReader(wav_rspecifier, WAVE_INFO) as reader:
        for recording, info in reader:
            if info.samples is None:
                raise KaldiError(
                    f"{recording}: the header of the recording does not tell its duration; try --read-entire-file"
                )
            yield recording, info.samples / info.sample_frequency


def recording_durations(data: DataDir) -> Rows:
    """A directory's reco2dur; where it has none its utt2dur, if recordings are utterances, or what the recordings say.

    Raises:
        KaldiError: there is no wav.scp, or a recording cannot be read.
    """
    if "reco2dur" in data.tables:
        return data.tables["reco2dur"]
    if "segments" not in data.tables and "utt2dur" in data.tables:
        return data.tables["utt2dur"]
    data.table("wav.scp")
    return {key: f"{seconds:g}" for key, seconds in durations(f"scp:{data.path / 'wav.scp'}", read_entire_file=True)}


def numbers_of_frames(data: DataDir) -> dict[str, int]:
    """A directory's utt2num_frames or, where it has none, what its features say.

    Raises:
        KaldiError: it has neither, or a line is no number.
    """
    if "utt2num_frames" not in data.tables:
        data.table("feats.scp")
        with SequentialReader(f"scp:{data.path / 'feats.scp'}", FLOAT_MATRIX) as reader:
            return {utterance: len(matrix) for utterance, matrix in reader}
    for utterance, text in data.tables["utt2num_frames"].items():
        if not is_number(text):
            raise KaldiError(f"{data.path / 'utt2num_frames'}: {utterance} has {text!r}, which is no number of frames")
    return {utterance: int(text) for utterance, text in data.tables["utt2num_frames"].items()}
