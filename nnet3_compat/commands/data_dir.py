"""nnet-pytorch-data-dir: what utils/*_data_dir.sh and their like call, one operation each."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import Command, command, option
from kaldi_bridge.data_dirs.changes import first_of_each, read_repaired, renamed
from kaldi_bridge.data_dirs.combination import combined
from kaldi_bridge.data_dirs.data_dir import FILES, DataDir
from kaldi_bridge.data_dirs.durations import numbers_of_frames, recording_durations
from kaldi_bridge.data_dirs.perturbation import (
    is_volume_perturbed,
    speed_perturbed,
    volume_perturbed,
    write_perturbed,
)
from kaldi_bridge.data_dirs.splitting import evenly_spread, some_of_each_speaker, some_speakers, split
from kaldi_bridge.data_dirs.validation import ValidationOptions, empty_transcripts, problems_of, sorted_by_speaker
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import is_number, words
from kaldi_bridge.io.text_files import c_locale, in_order, read_lines, read_rows, write_rows


def _back_up(path: Path) -> None:
    """Keeps the tables as they are in .backup."""
    backup = path / ".backup"
    backup.mkdir(exist_ok=True)
    for name in FILES:
        if (path / name).is_file():
            shutil.copyfile(path / name, backup / name)


# validate


def validate(options: ValidationOptions, data_dir: str) -> int:
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


# fix


@dataclass
class FixOptions:
    """Options of fix_data_dir.sh."""

    utt_extra_files: str = option("", "Names of more files with a line per utterance")
    spk_extra_files: str = option("", "Names of more files with a line per speaker")


def fix(options: FixOptions, data_dir: str) -> int:
    path = Path(data_dir)
    data = read_repaired(path)
    _back_up(path)
    data.write(path)
    for names, kept in ((options.utt_extra_files, data.utt2spk), (options.spk_extra_files, data.spk2utt)):
        for name in words(names):
            rows = first_of_each(path / name)
            write_rows(path / name, {key: value for key, value in rows.items() if key in kept})
    if not sorted_by_speaker(data):
        log.warning(f"{path / 'utt2spk'}: not in sorted order when sorted first on speakers, as Kaldi's has to be")
    log.info(f"old files are kept in {path / '.backup'}")
    return 0


# subset


@dataclass
class SubsetOptions:
    """Options of subset_data_dir.sh."""

    first: bool = option(False, "The first utterances")
    last: bool = option(False, "The last utterances")
    per_spk: bool = option(False, "So many utterances of each speaker")
    shortest: bool = option(False, "The shortest utterances, by utt2num_frames")
    speakers: bool = option(False, "All utterances of as many speakers, drawn at random, as it takes")
    spk_list: str = option("", "File of the speakers to keep")
    utt_list: str = option("", "File of the utterances to keep")


def subset(options: SubsetOptions, source: str, *rest: str) -> int:
    lists = bool(options.spk_list or options.utt_list)
    if len(rest) != (1 if lists else 2) or not (lists or is_number(rest[0])):
        raise KaldiError("expected: <srcdir> <num-utt> <destdir>, or with --spk-list or --utt-list <srcdir> <destdir>")
    data = DataDir.read(source)
    chosen = _from_lists(options, data) if lists else _some(options, data, int(rest[0]))
    if not chosen:
        raise KaldiError(f"no utterance of {source} is chosen")
    data.subset(chosen).write(rest[-1])
    log.info(f"reducing #utt from {len(data.utterances)} to {len(chosen)}")
    return 0


def _from_lists(options: SubsetOptions, data: DataDir) -> list[str]:
    if options.utt_list:
        listed = {utterance for utterance, _ in read_lines(options.utt_list)}
        return [utterance for utterance in data.utterances if utterance in listed]
    listed = {speaker for speaker, _ in read_lines(options.spk_list)}
    return [utterance for utterance, speaker in data.utt2spk.items() if speaker in listed]


def _some(options: SubsetOptions, data: DataDir, count: int) -> list[str]:
    utterances = data.utterances
    if options.per_spk and count > 0:
        return some_of_each_speaker(data.spk2utt, count)
    if not 0 < count <= len(utterances):
        raise KaldiError(f"cannot make a subset of {count} of the {len(utterances)} utterances of {data.path}")
    if options.speakers:
        return some_speakers(data.spk2utt, count)
    if options.shortest:
        lengths = numbers_of_frames(data)
        shortest = sorted(lengths, key=lambda u: (lengths[u], c_locale(u)))[:count]
        return in_order(shortest)
    if options.first or options.last:
        return utterances[:count] if options.first else utterances[-count:]
    return evenly_spread(utterances, count)


# split


@dataclass
class SplitOptions:
    """Options of split_data.sh."""

    per_utt: bool = option(False, "Split speakers too")


def split_data(options: SplitOptions, data_dir: str, num_split: str) -> int:
    if not is_number(num_split) or int(num_split) < 1:
        raise KaldiError(f"Invalid num-split argument {num_split}")
    end = "utt" if options.per_utt else ""
    target = Path(data_dir) / f"split{num_split}{end}"
    for number, part in enumerate(split(DataDir.read(data_dir), int(num_split), options.per_utt), 1):
        part.write(target / str(number))
    return 0


# combine


@dataclass
class CombineOptions:
    """Options of combine_data.sh."""

    extra_files: str = option("", "Names of more files to combine")
    skip_fix: bool = option(False, "Not to leave out utterances that some file lacks")


def combine(options: CombineOptions, destination: str, *sources: str) -> int:
    if not sources:
        raise KaldiError("expected: <dest-data-dir> <src-data-dir1> <src-data-dir2> ...")
    combined([Path(source) for source in sources], words(options.extra_files)).write(Path(destination))
    return 0 if options.skip_fix else fix(FixOptions(), destination)


# copy


@dataclass
class CopyOptions:
    """Options of copy_data_dir.sh."""

    spk_prefix: str = option("", "Prefix for speaker ids")
    utt_prefix: str = option("", "Prefix for utterance ids")
    spk_suffix: str = option("", "Suffix for speaker ids")
    utt_suffix: str = option("", "Suffix for utterance ids")


def copy(options: CopyOptions, source: str, destination: str) -> int:
    _require_different(source, destination)
    data = renamed(
        DataDir.read(source),
        lambda utterance: options.utt_prefix + utterance + options.utt_suffix,
        lambda speaker: options.spk_prefix + speaker + options.spk_suffix,
    )
    data.write(destination)
    log.info(f"copied data from {source} to {destination}")
    return validate(_absent_is_good(data), destination)


def _require_different(source: str, destination: str) -> None:
    if os.path.realpath(source) == os.path.realpath(destination):
        raise KaldiError(f"this needs two directories, not {source} twice")


def _absent_is_good(data: DataDir) -> ValidationOptions:
    return ValidationOptions(
        no_feats="feats.scp" not in data.tables, no_text="text" not in data.tables, no_wav="wav.scp" not in data.tables
    )


# perturb-speed, perturb-volume


@dataclass
class SpeedOptions:
    """Options of perturb_data_dir_speed.sh."""

    include_spk_prefix: bool = option(True, "Faster and slower speakers are other speakers")
    audio_dir: str = option(
        "", "Write the recordings as an archive into this directory, rather than pipes into wav.scp"
    )


def perturb_speed(options: SpeedOptions, factor: str, source: str, destination: str) -> int:
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


def _operation(function: Callable[..., int], arguments: str) -> Command:
    usage = f"As Kaldi's script of that name, without Kaldi.\nUsage: nnet-pytorch-data-dir {arguments}\n"
    return command(function, usage=usage, script=True)


OPERATIONS = {
    "validate": _operation(validate, "validate [options] <data-dir>"),
    "fix": _operation(fix, "fix [options] <data-dir>"),
    "subset": _operation(subset, "subset [options] <srcdir> [<num-utt>] <destdir>"),
    "split": _operation(split_data, "split [options] <data-dir> <num-to-split>"),
    "combine": _operation(combine, "combine [options] <dest-data-dir> <src-data-dir1> <src-data-dir2> ..."),
    "copy": _operation(copy, "copy [options] <srcdir> <destdir>"),
    "perturb-speed": _operation(perturb_speed, "perturb-speed [options] <factor> <srcdir> <destdir>"),
    "perturb-volume": _operation(perturb_volume, "perturb-volume [options] <data-dir>"),
}


def run(arguments: list[str]) -> int:
    """Runs an operation on its arguments; returns the exit status."""
    if not arguments or arguments[0] not in OPERATIONS:
        print(f"Usage: nnet-pytorch-data-dir <{'|'.join(OPERATIONS)}> [options] ...", file=sys.stderr)
        return 1
    name, *rest = arguments
    if name == "validate":  # whose options stand behind the directory as often as before it
        rest.sort(key=lambda argument: not argument.startswith("--"))
    return OPERATIONS[name].run(rest, f"nnet-pytorch-data-dir-{name}")


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
