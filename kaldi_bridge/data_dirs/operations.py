"""What Kaldi's scripts for data directories do (utils/*_data_dir.sh and their like), each with its options."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.data_dirs.changes import (
    Repaired,
    first_of_each,
    read_repaired,
    renamed,
    repaired,
    with_smaller_speakers,
)
from kaldi_bridge.data_dirs.combination import combined
from kaldi_bridge.data_dirs.data_dir import FILES, DataDir
from kaldi_bridge.data_dirs.durations import recording_durations
from kaldi_bridge.data_dirs.perturbation import is_volume_perturbed, speed_perturbed, volume_perturbed, write_perturbed
from kaldi_bridge.data_dirs.splitting import split
from kaldi_bridge.data_dirs.validation import ValidationOptions, empty_transcripts, problems_of, sorted_by_speaker
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import is_number, words
from kaldi_bridge.io.text_files import read_lines, read_rows, write_rows


def _back_up(path: Path) -> None:
    """Keeps the tables as they are in .backup."""
    backup = path / ".backup"
    backup.mkdir(exist_ok=True)
    for name in FILES:
        if (path / name).is_file():
            shutil.copyfile(path / name, backup / name)


def validate(options: ValidationOptions, data_dir: str) -> int:
    """Kaldi's utils/validate_data_dir.sh: warns of all that is wrong; returns the exit status."""
    path = Path(data_dir)
    problems = problems_of(path, options)
    for problem in problems:
        log.warning(problem)
    if problems:
        raise KaldiError(f"{path} is not a good data directory: {problems[0]}")
    empty = empty_transcripts(path)
    if empty:
        log.warning(f"{path / 'text'}: {len(empty)} utterances have no words, the first is {empty[0]}")
    log.info(f"Successfully validated data-directory {path}")
    return 0


@dataclass
class FixOptions:
    """Options of fix_data_dir.sh."""

    utt_extra_files: str = option("", "Names of more files with a line per utterance")
    spk_extra_files: str = option("", "Names of more files with a line per speaker")


def fix(options: FixOptions, data_dir: str) -> int:
    """Kaldi's utils/fix_data_dir.sh: leaves out what is incomplete; returns the exit status."""
    path = Path(data_dir)
    return _fixed(options, read_repaired(path))


def _fixed(options: FixOptions, made: Repaired) -> int:
    data, path = made.data, made.data.path
    _back_up(path)
    made.write()
    for names, kept in ((options.utt_extra_files, data.utt2spk), (options.spk_extra_files, data.spk2utt)):
        for name in words(names):
            rows, _ = first_of_each(path / name, read_lines(path / name))
            write_rows(path / name, {key: value for key, value in rows.items() if key in kept})
    if not sorted_by_speaker(data):
        log.warning(f"{path / 'utt2spk'}: not in sorted order when sorted first on speakers, as Kaldi's has to be")
    log.info(f"old files are kept in {path / '.backup'}")
    return 0


@dataclass
class SplitOptions:
    """Options of split_data.sh."""

    per_utt: bool = option(False, "Split speakers too")


def split_data(options: SplitOptions, data_dir: str, num_split: str) -> int:
    """Kaldi's utils/split_data.sh: parts by speaker or by utterance; returns the exit status."""
    if not is_number(num_split) or int(num_split) < 1:
        raise KaldiError(f"Invalid num-split argument {num_split}")
    end = "utt" if options.per_utt else ""
    target = Path(data_dir) / f"split{num_split}{end}"
    for number, part in enumerate(split(DataDir.read(data_dir), int(num_split), options.per_utt), 1):
        part.write(target / str(number))
    return 0


@dataclass
class CombineOptions:
    """Options of combine_data.sh."""

    extra_files: str = option("", "Names of more files to combine")
    skip_fix: bool = option(False, "Not to leave out utterances that some file lacks")


def combine(options: CombineOptions, destination: str, *sources: str) -> int:
    """Kaldi's utils/combine_data.sh: one directory of several; returns the exit status."""
    if not sources:
        raise KaldiError("expected: <dest-data-dir> <src-data-dir1> <src-data-dir2> ...")
    made = combined([Path(source) for source in sources], words(options.extra_files))
    path = Path(destination)
    made.write(path)
    if options.skip_fix:
        return 0
    return _fixed(FixOptions(), repaired(path, {name: made.lines.pop(name) for name in FILES if name in made.lines}))


@dataclass
class CopyOptions:
    """Options of copy_data_dir.sh."""

    spk_prefix: str = option("", "Prefix for speaker ids")
    utt_prefix: str = option("", "Prefix for utterance ids")
    spk_suffix: str = option("", "Suffix for speaker ids")
    utt_suffix: str = option("", "Suffix for utterance ids")


def copy(options: CopyOptions, source: str, destination: str) -> int:
    """Kaldi's utils/copy_data_dir.sh: the same under other names; returns the exit status."""
    _require_different(source, destination)
    data = renamed(
        DataDir.read(source),
        lambda utterance: options.utt_prefix + utterance + options.utt_suffix,
        lambda speaker: options.spk_prefix + speaker + options.spk_suffix,
    )
    data.write(destination)
    log.info(f"copied data from {source} to {destination}")
    return validate(_absent_is_good(data), destination)


@dataclass
class SpeakerOptions:
    """Options of modify_speaker_info.sh."""

    utts_per_spk_max: int = option(-1, "Most utterances of a speaker; -1: no limit")
    seconds_per_spk_max: float = option(-1.0, "Most seconds of a speaker, by utt2dur; -1: no limit")
    respect_speaker_info: bool = option(True, "Divide speakers; false: take no notice of them")


def modify_speaker_info(options: SpeakerOptions, source: str, destination: str) -> int:
    """Kaldi's utils/data/modify_speaker_info.sh: smaller speakers; returns the exit status."""
    _require_different(source, destination)
    utterances, seconds = options.utts_per_spk_max, options.seconds_per_spk_max
    if utterances <= 0 and seconds <= 0:
        raise KaldiError("one or both of --utts-per-spk-max and --seconds-per-spk-max are needed")
    original = DataDir.read(source)
    data = with_smaller_speakers(original, max(utterances, 0), max(seconds, 0.0), options.respect_speaker_info)
    data.write(destination)
    log.info(f"number of speakers changed from {len(original.spk2utt)} to {len(data.spk2utt)}")
    return validate(_absent_is_good(data), destination)


def _require_different(source: str, destination: str) -> None:
    if os.path.realpath(source) == os.path.realpath(destination):
        raise KaldiError(f"this needs two directories, not {source} twice")


def _absent_is_good(data: DataDir) -> ValidationOptions:
    return ValidationOptions(
        no_feats="feats.scp" not in data.tables, no_text="text" not in data.tables, no_wav="wav.scp" not in data.tables
    )


@dataclass
class SpeedOptions:
    """Options of perturb_data_dir_speed.sh."""

    include_spk_prefix: bool = option(True, "Faster and slower speakers are other speakers")
    audio_dir: str = option(
        "", "Write the recordings as an archive into this directory, rather than pipes into wav.scp"
    )


def perturb_speed(options: SpeedOptions, factor: str, source: str, destination: str) -> int:
    """Kaldi's utils/perturb_data_dir_speed.sh: all recordings faster by a factor; returns the exit status."""
    _require_different(source, destination)
    original = DataDir.read(source)
    if "wav.scp" in original.tables:
        original.tables["reco2dur"] = recording_durations(original)
    data = speed_perturbed(original, factor, options.include_spk_prefix)
    if options.audio_dir:
        write_perturbed(original, data, factor, Path(options.audio_dir))
    data.write(destination)
    log.info(f"generated speed-perturbed version of data in {source}, in {destination}")
    return validate(ValidationOptions(no_feats=True, no_text=True), destination)


@dataclass
class VolumeOptions:
    """Options of perturb_data_dir_volume.sh."""

    reco2vol: str = option("", "File of recordings and their volumes, which are else drawn at random")
    write_reco2vol: str = option("", "Write the volumes to this file")
    scale_low: float = option(0.125, "Lowest volume drawn")
    scale_high: float = option(2.0, "Highest volume drawn")


def perturb_volume(options: VolumeOptions, data_dir: str) -> int:
    """Kaldi's utils/data/perturb_data_dir_volume.sh: recordings louder or softer; returns the exit status."""
    data = DataDir.read(data_dir)
    if is_volume_perturbed(data):
        log.info("It looks like the data was already volume perturbed.  Not doing anything.")
        return 0
    given = read_rows(options.reco2vol) if options.reco2vol else None
    perturbed, volumes = volume_perturbed(data, options.scale_low, options.scale_high, given)
    if options.write_reco2vol:
        write_rows(Path(options.write_reco2vol), volumes)
    _back_up(Path(data_dir))
    perturbed.write(data_dir)
    log.info(f"added volume perturbation to the data in {data_dir}; what was there is in {data_dir}/.backup")
    return 0
