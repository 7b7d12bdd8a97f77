"""One data directory of several, as utils/combine_data.sh makes it.

A file of the result has the lines of all, sorted as ``LC_ALL=C sort`` does. Where directories share utterances,
speakers or recordings, a key may be there with several lines; fix_data_dir.sh then keeps the first of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.data_dirs.data_dir import FILES, spk2utt_of
from kaldi_bridge.data_dirs.durations import durations
from kaldi_bridge.data_dirs.feature_options import CONF, FeatureOptions, drop_feature_options
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import encode, words
from kaldi_bridge.io.text_files import read_lines, read_text, write_text

COMBINED = (
    "utt2spk", "utt2lang", "utt2dur", "utt2num_frames", "reco2dur", "feats.scp", "text", "cmvn.scp", "vad.scp",
    "reco2file_and_channel", "wav.scp", "spk2gender",
)  # fmt: skip
SHOWN = 5

Lines = list[tuple[str, str]]


@dataclass
class Combination:
    """Sorted lines by file name, and what the features of all have in common."""

    lines: dict[str, Lines]
    frame_shift: str
    feature_options: FeatureOptions | None

    def write(self, path: Path) -> None:
        """Into a directory, from which other tables and options go."""
        path.mkdir(parents=True, exist_ok=True)
        for name in {*FILES, *self.lines}:
            if name in self.lines:
                text = "".join(f"{key} {rest}\n" if rest else f"{key}\n" for key, rest in self.lines[name])
                write_text(path / name, text)
            else:
                (path / name).unlink(missing_ok=True)
        (path / "frame_shift").unlink(missing_ok=True)
        if self.frame_shift:
            write_text(path / "frame_shift", self.frame_shift)
        drop_feature_options(path)
        if self.feature_options is not None:
            self.feature_options.write(path)


def combined(directories: Sequence[Path], extra_files: Iterable[str] = ()) -> Combination:
    """The lines of those files that every directory has.

    Where only some have segments or utt2uniq, the others' are made: an utterance is the whole of its recording, and its
    own original.

    Raises:
        KaldiError: a directory has no utt2spk, features have other frame shifts, or a duration cannot be found out.
    """
    for directory in directories:
        if not (directory / "utt2spk").is_file():
            raise KaldiError(f"no such file {directory / 'utt2spk'}")
    frame_shift = _common_frame_shift(directories)
    lines: dict[str, Lines] = {}
    for name, made in (("utt2uniq", _own_originals), ("segments", _whole_recordings)):
        if any((directory / name).is_file() for directory in directories):
            lines[name] = [
                line
                for directory in directories
                for line in (read_lines(directory / name) if (directory / name).is_file() else made(directory))
            ]
    for name in dict.fromkeys([*COMBINED, *extra_files]):
        missing = [directory for directory in directories if not (directory / name).is_file()]
        if not missing:
            lines[name] = [line for directory in directories for line in read_lines(directory / name)]
        elif len(missing) < len(directories) and name not in lines:
            log.warning(f"not combining {name}: {missing[0]} has none")
    for name, of_all in lines.items():
        _sort(of_all)
        _report_shared(name, of_all)
    lines["spk2utt"] = [(s, " ".join(us)) for s, us in spk2utt_of(lines["utt2spk"]).items()]
    return Combination(lines, frame_shift, _common_options(directories) if "feats.scp" in lines else None)


def _sort(lines: Lines) -> None:
    """As ``LC_ALL=C sort`` does: by the bytes of the whole line."""
    if all(key.isascii() and key.isprintable() for key, _ in lines):  # no character of a key is before the space
        lines.sort(key=None if all(rest.isascii() for _, rest in lines) else lambda line: (line[0], encode(line[1])))
    else:
        lines.sort(key=lambda line: encode(" ".join(line)))


def _report_shared(name: str, lines: Lines) -> None:
    """Tells keys that have different lines, of sorted ones."""
    shared = {line[0]: None for line, other in pairwise(lines) if line[0] == other[0] and line[1] != other[1]}
    if shared:
        shown = ", ".join(list(shared)[:SHOWN]) + (", ..." if len(shared) > SHOWN else "")
        hint = "; compute_cmvn_stats.sh makes statistics of all" if name == "cmvn.scp" else ""
        log.warning(f"{name}: several lines for {shown}: fix_data_dir.sh keeps the first in sorted order{hint}")


def _common_frame_shift(directories: Sequence[Path]) -> str:
    with_features = [d for d in directories if (d / "feats.scp").is_file() and (d / "frame_shift").is_file()]
    texts = {directory: read_text(directory / "frame_shift") for directory in with_features}
    try:
        different = {float(text): directory for directory, text in texts.items()}
    except ValueError:
        raise KaldiError(f"frame_shift of {', '.join(map(str, with_features))}: must be seconds") from None
    if len(different) > 1:
        shifts = " and ".join(f"{shift:g} ({directory})" for shift, directory in sorted(different.items()))
        raise KaldiError(f"features with frame shifts of {shifts} seconds cannot be combined")
    return next(reversed(texts.values()), "")


def _common_options(directories: Sequence[Path]) -> FeatureOptions | None:
    first = FeatureOptions.of_directory(directories[0])
    for directory in directories[1:]:
        other = FeatureOptions.of_directory(directory)
        if first is not None and other is not None and (found := first.differences(other)):
            log.warning(f"the features of {directories[0]} and {directory} are made otherwise: {'; '.join(found)}")
            return None
        if first is None or other is None:
            log.warning(f"not combining {CONF}: not every directory says how its features were made")
            return None
    return first


def _own_originals(directory: Path) -> Lines:
    return [(utterance, utterance) for utterance, _ in read_lines(directory / "utt2spk")]


def _whole_recordings(directory: Path) -> Lines:
    if (directory / "utt2dur").is_file():
        seconds = dict(read_lines(directory / "utt2dur"))
    elif (directory / "wav.scp").is_file():
        log.info(f"{directory} has no utt2dur: its recordings are read, to be combined with one that has segments")
        seconds = {key: f"{time:g}" for key, time in durations(f"scp:{directory / 'wav.scp'}", read_entire_file=True)}
    else:
        raise KaldiError(f"{directory} needs utt2dur or wav.scp, to be combined with a directory that has segments")
    return [(utterance, f"{utterance} 0 {' '.join(words(time))}") for utterance, time in seconds.items()]
