"""Some utterances of a data directory (utils/subset_data_dir.sh)."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.data_dirs.durations import numbers_of_frames
from kaldi_bridge.data_dirs.splitting import evenly_spread, some_of_each_speaker, some_speakers
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import is_number
from kaldi_bridge.io.text_files import c_locale, in_order, read_lines


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
    """Kaldi's utils/subset_data_dir.sh: some utterances or speakers; returns the exit status."""
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
