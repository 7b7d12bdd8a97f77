"""nnet-pytorch-sph2pipe: LDC's sph2pipe, for what Kaldi's recipes ask of it."""

from __future__ import annotations

import getopt
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import Command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.sphere import SphereRecording, read_sphere
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.text import is_number
from kaldi_bridge.io.wave import Wave, write_wave
from kaldi_bridge.options import OptionSpec, UsageError, specs_of

USAGE = """Convert a SPHERE recording (16-bit integers, mu-law, A-law; also shortened) to 16-bit PCM.
Usage: nnet-pytorch-sph2pipe [-f wav|raw] [-p] [-c channel] [-t from:to | -s from:to] <sphere-file> [<output-file>]
e.g.: nnet-pytorch-sph2pipe -f wav -p -c 1 sw02001.sph > A.wav
  -f : format of the output, wav or raw
  -p : expand mu-law and A-law to 16-bit integers: what is companded needs it, since Kaldi reads nothing else
  -c : the channel to take, from 1 (default: all)
  -t : the part to take, in seconds; an empty side is the recording's own
  -s : the part to take, in samples
"""


@dataclass
class Options:
    """Flags, which have one letter and one dash."""

    f: str = option("", "format of the output")
    p: bool = option(False, "expand mu-law and A-law")
    c: str = option("", "channel")
    t: str = option("", "part, in seconds")
    s: str = option("", "part, in samples")


class _Program(Command):
    """A program whose command line is getopt's."""

    def _run(self, arguments: list[str], program: str) -> int:
        try:
            flags, positional = getopt.getopt(arguments, "f:pc:t:s:", ["help"])
        except getopt.GetoptError as error:
            raise UsageError(f"{error}\n{USAGE}") from error
        if not self._least <= len(positional) <= self._most or ("--help", "") in flags:
            raise UsageError(f"expected one SPHERE file, and the file to write unless that is the output\n{USAGE}")
        options = Options(p=("-p", "") in flags, **{name[1:]: value for name, value in flags if name != "-p"})
        return self.function(options, *positional) or 0

    @property
    def specs(self) -> list[OptionSpec]:
        return specs_of(Options)


def sph2pipe(options: Options, sphere_file: str, output_file: str = "-") -> None:
    if options.f not in ("wav", "raw"):
        raise UsageError(f"-f {options.f or '(not given)'}: only wav and raw can be written")
    with open_input(sphere_file) as stream:
        recording = read_sphere(stream)
    if recording.companded and not options.p:
        raise KaldiError(f"{sphere_file} is companded: -p expands it to the 16-bit integers that are written here")
    samples = _part(options, recording)[:, _channels(options.c, recording)]
    with open_output(output_file) as out:
        if options.f == "wav":
            write_wave(out, Wave(recording.sample_rate, samples.T))
        else:
            out.write(samples.astype("<i2").tobytes())


def _channels(text: str, recording: SphereRecording) -> slice:
    channels = recording.samples.shape[1]
    if not text:
        return slice(channels)
    if not (is_number(text) and 1 <= int(text) <= channels):
        raise KaldiError(f"-c {text}: the recording has channels 1 to {channels}")
    return slice(int(text) - 1, int(text))


def _part(options: Options, recording: SphereRecording) -> np.ndarray:
    text, unit = (options.t, recording.sample_rate) if options.t else (options.s, 1)
    if not text:
        return recording.samples
    first, colon, last = text.partition(":")
    try:
        begin = round(float(first or 0) * unit)
        end = round(float(last) * unit) if last else len(recording.samples)
    except (ValueError, OverflowError):
        colon = ""
    if not colon or not 0 <= begin < end <= len(recording.samples):
        raise KaldiError(f"{text} is no part from:to of a recording of {len(recording.samples)} samples")
    return recording.samples[begin:end]


main = _Program(sph2pipe, USAGE, script=False)

if __name__ == "__main__":
    main()
