"""How the features of a directory were made: conf/mfcc.conf, or of fbank, plp or waveform, a copy of the options.

Kaldi's steps/make_mfcc.sh and its like leave it in the data directory, as make_feats.sh does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.options import FbankOptions, MfccOptions, PlpOptions, WaveformOptions
from kaldi_bridge.io.text import strip
from kaldi_bridge.io.text_files import read_text, write_text
from kaldi_bridge.options import normalize, specs_of

CONF = "conf"
KINDS = ("mfcc", "fbank", "plp", "waveform")
_OPTIONS = {"mfcc": MfccOptions, "fbank": FbankOptions, "plp": PlpOptions, "waveform": WaveformOptions}
# Noise that is drawn anew each time, what to do with recordings at other rates, and programs' own options.
_NOT_COMPARED = {
    "dither", "energy-floor", "allow-downsample", "allow-upsample", "verbose", "print-args", "channel", "min-duration",
    "utt2spk", "vtln-map", "vtln-warp", "vtln-low", "vtln-high", "debug-mel", "output-format", "max-feature-vectors",
}  # fmt: skip


@dataclass(frozen=True)
class FeatureOptions:
    """``kind``: one of KINDS. ``text``: the file of options."""

    kind: str
    text: str

    @classmethod
    def of_file(cls, kind: str, path: Path) -> FeatureOptions:
        """Raises KaldiError where it cannot be read."""
        return cls(kind, read_text(path))

    @classmethod
    def of_directory(cls, directory: Path) -> FeatureOptions | None:
        """None where nothing is told, or of more than one kind of features."""
        told = [kind for kind in KINDS if _file(directory, kind).is_file()]
        return cls.of_file(told[0], _file(directory, told[0])) if len(told) == 1 else None

    def write(self, directory: Path) -> None:
        """In place of what was told there."""
        drop_feature_options(directory)
        (directory / CONF).mkdir(parents=True, exist_ok=True)
        write_text(_file(directory, self.kind), self.text)

    def values(self) -> dict[str, Any]:
        """What is compared: values by option, with Kaldi's defaults for what is not given, where these are known."""
        options = _OPTIONS.get(self.kind)
        found = {spec.key: spec.default for spec in specs_of(options)} if options else {"sample-frequency": 16000.0}
        given = given_options(self.text)
        found.update({key: _value(text) for key, text in given.items() if key in found or not options})
        if "high-freq" in found and found["high-freq"] <= 0:  # counted from half the sampling rate
            found["high-freq"] += found["sample-frequency"] / 2
        return {key: value for key, value in found.items() if key not in _NOT_COMPARED}

    def differences(self, other: FeatureOptions) -> list[str]:
        """What is not the same, "num-ceps 13 and 40" say."""
        return differences({"kind": self.kind, **self.values()}, {"kind": other.kind, **other.values()})


def differences(mine: dict[str, Any], others: dict[str, Any]) -> list[str]:
    """Of values by name, what is not the same."""
    if mine.get("kind") != others.get("kind"):
        return [f"{mine.get('kind')} and {others.get('kind')}"]
    names = sorted({*mine, *others})
    return [f"{n} {_shown(mine.get(n))} and {_shown(others.get(n))}" for n in names if mine.get(n) != others.get(n)]


def drop_feature_options(directory: Path) -> None:
    """Where the features that they were of are gone."""
    for kind in KINDS:
        _file(directory, kind).unlink(missing_ok=True)


def given_options(text: str) -> dict[str, str]:
    """Options of a file, as text; comments and blank lines passed over. Raises KaldiError for what is no option."""
    given = {}
    for line in text.split("\n"):
        line = strip(line.partition("#")[0])
        if line:
            name, equals, value = line.removeprefix("--").partition("=")
            if not line.startswith("--") or not name:
                raise KaldiError(f"{line!r} in a file of options is not of the form --x=y")
            given[normalize(name)] = strip(value) if equals else "true"
    return given


def _file(directory: Path, kind: str) -> Path:
    return directory / CONF / f"{kind}.conf"


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return {"true": True, "false": False}.get(text, text)


def _shown(value: Any) -> str:
    if value is None:
        return "(not given)"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
