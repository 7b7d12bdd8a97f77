"""Speed and volume perturbation of data directories, by pipes in wav.scp (utils/data/perturb_data_dir_*.sh).

The pipes are SoX's where it is there, as Kaldi writes them, else those of nnet-pytorch-perturb-audio.
"""

from __future__ import annotations

import random
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from kaldi_bridge.data_dirs.changes import renamed
from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.audio_perturbation import with_speed
from kaldi_bridge.io.text import SPACE
from kaldi_bridge.io.text_files import Rows, read_rows
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import WAVE

PROGRAM = "nnet-pytorch-perturb-audio --print-args=false"
_NUMBER = re.compile(r"[0-9]*\.?[0-9]+(e[+-]?[0-9]+)?", re.ASCII | re.IGNORECASE)
_OFFSET = re.compile(r":\d+$")
_VOLUME = re.compile(r"(sox --vol|perturb-audio [^|]*--volume)[^|]*\|?$")


def has_sox() -> bool:
    """Whether SoX is on the PATH."""
    return shutil.which("sox") is not None


def speed_perturbed(data: DataDir, factor: str, of_speakers: bool = True, sox: bool | None = None) -> DataDir:
    """All recordings faster by ``factor`` (a number, as it is to be written in names), without features.

    Names get sp<factor>- in front, of speakers too, or, unless ``of_speakers``, only those of utterances and recordings
    get -sp<factor> behind; utt2uniq tells the originals.

    Raises:
        KaldiError: a factor that is no speed.
    """
    speed = float(factor) if _NUMBER.fullmatch(factor) else 0.0
    if not 0.1 <= speed <= 10:
        raise KaldiError(f"a speed of {factor!r}: must be a number from 0.1 to 10")
    label = f"sp{factor}"

    def name(key: str) -> str:
        return f"{label}-{key}" if of_speakers else f"{key}-{label}"

    made = renamed(data, name, name if of_speakers else str, name)
    tables = {key: rows for key, rows in made.tables.items() if key not in ("feats.scp", "cmvn.scp", "vad.scp")}
    tables.pop("utt2num_frames", None)
    if "wav.scp" in tables:
        sox = has_sox() if sox is None else sox
        tables["wav.scp"] = {key: _speed_pipe(file, factor, sox) for key, file in tables["wav.scp"].items()}
    for durations in ("utt2dur", "reco2dur"):
        if durations in tables:
            tables[durations] = {key: f"{float(value) / speed:g}" for key, value in tables[durations].items()}
    if "segments" in tables:
        tables["segments"] = _faster_segments(made, speed)
    return DataDir(data.path, tables).subset(tables.get("segments", tables["utt2spk"]))


def write_perturbed(original: DataDir, perturbed: DataDir, factor: str, folder: Path) -> None:
    """Writes the recordings of ``speed_perturbed`` into an archive, by one process, and names them in its wav.scp."""
    folder.mkdir(parents=True, exist_ok=True)
    archive, script = (folder / f"wav.sp{factor}.{kind}" for kind in ("ark", "scp"))
    names = dict(zip(original.tables["wav.scp"], perturbed.tables["wav.scp"], strict=True))
    with (
        SequentialReader(f"scp:{original.path / 'wav.scp'}", WAVE) as reader,
        TableWriter(f"ark,scp:{archive},{script}", WAVE) as writer,
    ):
        for recording, wave in reader:
            writer.write(names[recording], with_speed(wave, float(factor)))
    perturbed.tables["wav.scp"] = read_rows(script)


def _faster_segments(data: DataDir, speed: float) -> Rows:
    lines = {}
    for utterance, (_, recording, start, end, *_) in data.segments.items():
        if end == -1:
            lines[utterance] = f"{recording} {start / speed:.2f} -1"
        elif end / speed > start / speed + 0.01:
            lines[utterance] = f"{recording} {start / speed:.2f} {end / speed:.2f}"
    return lines


def _speed_pipe(file: str, factor: str, sox: bool) -> str:
    if sox:
        return _piped(file, "sox -t wav {} -t wav - " + f"speed {factor} |")
    return _piped(file, f"{PROGRAM} --speed={factor} {{}} - |")


def _piped(file: str, command: str) -> str:
    """A pipe that gets what ``file`` names: the output of another pipe, a part of an archive, or a file."""
    if file.endswith("|"):
        return f"{file[:-1].rstrip(SPACE)} | {command.format('-')}"
    if _OFFSET.search(file):
        return f"{PROGRAM} {_path(file)} - | {command.format('-')}"
    return command.format(_sox_path(file) if command.startswith("sox") else _path(file))


def _path(file: str) -> str:
    """A file's name for the shell, and not an option."""
    return shlex.quote(f"./{file}" if file.startswith("-") else file)


def _sox_path(file: str) -> str:
    """The same for SoX, which knows pipes, patterns and addresses of its own."""
    return ("--no-glob " if re.search(r"[*?[]", file) else "") + _path(f"./{file}" if file.startswith("|") else file)


def is_volume_perturbed(data: DataDir) -> bool:
    """Whether a recording goes through a pipe of ``volume_perturbed`` last."""
    return any(_VOLUME.search(file) for file in data.table("wav.scp").values())


def volume_perturbed(
    data: DataDir,
    low: float = 0.125,
    high: float = 2.0,
    volumes: Mapping[str, str] | None = None,
    sox: bool | None = None,
) -> tuple[DataDir, dict[str, str]]:
    """Each recording times a number drawn evenly from ``low`` to ``high``, or given; those numbers. Without features.

    Raises:
        KaldiError: no wav.scp, or a recording without volume.
    """
    if not 0 < low <= high:
        raise KaldiError(f"volumes from {low:g} to {high:g}: must be positive, the lower one first")
    generator = random.Random(0)
    drawn = {}
    for recording in data.table("wav.scp"):
        volume = str(generator.uniform(low, high))
        if volumes is not None and recording not in volumes:
            raise KaldiError(f"no volume is given for recording {recording} of {data.path / 'wav.scp'}")
        drawn[recording] = volume if volumes is None else volumes[recording]
        if not (_NUMBER.fullmatch(drawn[recording]) and float(drawn[recording]) > 0):
            raise KaldiError(f"a volume of {drawn[recording]!r} for recording {recording}: must be a positive number")
    sox = has_sox() if sox is None else sox
    tables = {name: rows for name, rows in data.tables.items() if name not in ("feats.scp", "cmvn.scp")}
    tables["wav.scp"] = {r: _volume_pipe(file, drawn[r], sox) for r, file in tables["wav.scp"].items()}
    return DataDir(data.path, tables), drawn


def _volume_pipe(file: str, volume: str, sox: bool) -> str:
    if sox:
        return _piped(file, f"sox --vol {volume} -t wav {{}} -t wav - |")
    before, program, after = file.rpartition(PROGRAM)
    if program and file.endswith("|") and "|" not in after[:-1]:  # one process changes speed and volume
        return f"{before}{program} --volume={volume}{after}"
    return _piped(file, f"{PROGRAM} --volume={volume} {{}} - |")
