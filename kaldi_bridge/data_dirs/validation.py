"""What is wrong with a data directory (utils/validate_data_dir.sh)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.command import option
from kaldi_bridge.data_dirs.data_dir import DataDir, spk2utt_of
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import c_locale, check_spaces, in_order, read_rows


@dataclass
class ValidationOptions:
    """Options of validate_data_dir.sh."""

    no_feats: bool = option(False, "feats.scp need not be there")
    no_text: bool = option(False, "text need not be there")
    no_wav: bool = option(False, "wav.scp need not be there")
    no_spk_sort: bool = option(False, "utt2spk need not be sorted by speaker too")
    non_print: bool = option(False, "Text may have non-printable characters")


def problems_of(path: Path, options: ValidationOptions) -> list[str]:
    """Each with its file, and the utterance, speaker or recording."""
    if not path.is_dir():
        return [f"no such directory {path}"]
    missing = [name for name in ("utt2spk", "spk2utt", *_required(options)) if not (path / name).is_file()]
    try:
        data = DataDir.read(path)
        checks: list[Iterable[str]] = [
            _order(data),
            _speakers(data, options),
            _utterances(data),
            _text(data, options),
            _recordings(data),
            _values(data),
        ]
        found = [problem for check in checks for problem in _guarded(check)]
    except KaldiError as error:
        found = [str(error)] if missing[:1] != ["utt2spk"] else []
    return [f"no such file {path / name}" for name in missing] + found


def _guarded(check: Iterable[str]) -> Iterator[str]:
    try:
        yield from check
    except KaldiError as error:
        yield str(error)


def _required(options: ValidationOptions) -> Iterator[str]:
    for name, optional in (("feats.scp", options.no_feats), ("text", options.no_text), ("wav.scp", options.no_wav)):
        if not optional:
            yield name


def _order(data: DataDir) -> Iterator[str]:
    for name, rows in data.tables.items():
        keys = list(rows)
        for key, expected in zip(keys, in_order(keys), strict=True):
            if key != expected:
                yield f"{data.path / name}: not in sorted order at {key} (LC_ALL=C sort; fix_data_dir.sh does it)"
                break


def _by_speaker(data: DataDir) -> list[tuple[str, str]]:
    return sorted(data.utt2spk.items(), key=lambda row: (c_locale(row[1]), c_locale(row[0])))


def sorted_by_speaker(data: DataDir) -> bool:
    """Whether utterances in this order are in that of their speakers too."""
    return _by_speaker(data) == list(data.utt2spk.items())


def _speakers(data: DataDir, options: ValidationOptions) -> Iterator[str]:
    for utterance, speaker in data.utt2spk.items():
        if len(words(speaker)) != 1:
            yield f"{data.path / 'utt2spk'}: bad line of utterance {utterance}: {speaker!r} is not one speaker"
            return
    by_speaker = _by_speaker(data)
    for (utterance, _), (expected, _) in zip(data.utt2spk.items(), by_speaker, strict=True):
        if utterance != expected and not options.no_spk_sort:
            yield (
                f"{data.path / 'utt2spk'}: not in sorted order when sorted first on speakers, at utterance {utterance} "
                "(make speakers the prefixes of their utterances)"
            )
            break
    if "spk2utt" in data.tables:
        expected_lists = {s: in_order(us) for s, us in spk2utt_of(data.utt2spk.items()).items()}
        for speaker in in_order({*expected_lists, *data.tables["spk2utt"]}):
            if in_order(words(data.tables["spk2utt"].get(speaker, ""))) != expected_lists.get(speaker, []):
                yield f"{data.path}: spk2utt and utt2spk do not have the same utterances of speaker {speaker}"
                break
    for name in ("cmvn.scp", "spk2gender", "spk2warp"):
        yield from _same_keys(data, name, data.spk2utt, "speaker")


def _utterances(data: DataDir) -> Iterator[str]:
    names = [
        "text",
        "feats.scp",
        "segments",
        "vad.scp",
        "utt2lang",
        "utt2uniq",
        "utt2dur",
        "utt2num_frames",
        "utt2warp",
    ]
    for name in [*names, *([] if "segments" in data.tables else ["wav.scp", "reco2dur", "reco2file_and_channel"])]:
        yield from _same_keys(data, name, data.utt2spk, "utterance")


def _recordings(data: DataDir) -> Iterator[str]:
    if "segments" in data.tables:
        if "wav.scp" not in data.tables:
            yield f"{data.path / 'segments'} exists but not {data.path / 'wav.scp'}"
        recordings = {segment.recording for segment in data.segments.values()}
        for name in ("wav.scp", "reco2dur", "reco2file_and_channel"):
            yield from _same_keys(data, name, recordings, "recording")
    for recording, filename in data.tables.get("wav.scp", {}).items():
        if filename.startswith("~") or not filename:
            yield f"{data.path / 'wav.scp'}: {recording} has no file name, or one that begins with ~: {filename!r}"
            return


def _same_keys(data: DataDir, name: str, expected: Iterable[str], kind: str) -> Iterator[str]:
    if name not in data.tables:
        return
    expected, found = set(expected), data.tables[name].keys()
    for keys, what in ((expected - found, "is not there"), (found - expected, f"is no {kind} of this directory")):
        if keys:
            yield f"{data.path / name}: {kind} {min(keys, key=c_locale)} {what} ({len(keys)} of {len(expected)} in all)"


def _text(data: DataDir, options: ValidationOptions) -> Iterator[str]:
    if "text" in data.tables:
        check_spaces(data.path / "text")
    file = data.path / "text"
    for utterance, text in data.tables.get("text", {}).items():
        for symbol in ("<s>", "</s>", "#0"):
            if symbol in text and symbol in words(text):
                yield f"{file}: utterance {utterance} contains illegal symbol {symbol}"
                return
        for character in "" if text.isprintable() or options.non_print else text:
            if unicodedata.category(character) in ("Cc", "Cn") and character != "\t":
                yield f"{file}: utterance {utterance} contains a non-printable character: {character!a}"
                return


def _values(data: DataDir) -> Iterator[str]:
    checks: dict[str, Callable[[str], bool]] = {
        "utt2dur": lambda value: float(value) > 0,
        "reco2dur": lambda value: float(value) > 0,
        "utt2num_frames": lambda value: int(value) > 0,
        "spk2gender": lambda value: value in ("m", "f"),
        "spk2warp": lambda value: 0.5 < float(value) < 1.5,
        "utt2warp": lambda value: 0.5 < float(value) < 1.5,
    }
    for name, is_good in checks.items():
        for key, value in data.tables.get(name, {}).items():
            try:
                good = is_good(value)
            except ValueError:
                good = False
            if not good:
                yield f"{data.path / name}: bad line of {key}: {value!r}"
                break


def empty_transcripts(path: Path) -> list[str]:
    """Utterances of a directory whose text is there and has no words."""
    if not (path / "text").is_file():
        return []
    return [utterance for utterance, text in read_rows(path / "text").items() if not text]
