"""nnet-pytorch-perturb-audio: a recording at another speed or volume, for pipes in wav.scp."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.features.audio_perturbation import with_speed, with_volume
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.wave import read_wave, write_wave

USAGE = """Change the speed (and pitch) or the volume of a recording, as "sox --vol <v> ... speed <s>" does.
Usage: nnet-pytorch-perturb-audio [options] <wav-rxfilename> <wav-wxfilename>
e.g. in a wav.scp: utt1 nnet-pytorch-perturb-audio --speed=0.9 utt1.wav - |"""


@dataclass
class Options:
    """Options of this program."""

    speed: float = option(1.0, "How many times as fast")
    volume: float = option(1.0, "Factor of the samples")


def perturb_audio(options: Options, wav_rxfilename: str, wav_wxfilename: str) -> int:
    with open_input(wav_rxfilename) as stream:
        wave = read_wave(stream)
    if options.speed != 1.0:
        wave = with_speed(wave, options.speed)
    if options.volume != 1.0:
        wave = with_volume(wave, options.volume)
    with open_output(wav_wxfilename) as out:
        write_wave(out, wave)
    return 0


main = command(perturb_audio, usage=USAGE)

if __name__ == "__main__":
    main()
