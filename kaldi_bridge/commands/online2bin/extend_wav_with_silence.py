"""nnet-pytorch-extend-wav-with-silence: twin of extend-wav-with-silence."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.features.silence_extension import SilenceOptions, with_silence
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.wave import Wave, read_wave, write_wave
from kaldi_bridge.tables import SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import WAVE

USAGE = """Extend recordings with silence at their end, to test the detection of endpoints.
It sounds like the quietest part at their beginning or end.
Usage: nnet-pytorch-extend-wav-with-silence [options] <wav-rspecifier> <wav-wspecifier>
or:    nnet-pytorch-extend-wav-with-silence [options] <wav-rxfilename> <wav-wxfilename>
e.g.: nnet-pytorch-extend-wav-with-silence --extra-silence-length=3 scp:wav.scp ark:-"""


def extend_wav_with_silence(options: SilenceOptions, source: str, target: str) -> None:
    if not is_rspecifier(source):
        with open_input(source) as stream:
            wave = read_wave(stream)
        extended = _extended(wave, options)
        with open_output(target) as out:
            write_wave(out, extended)
        return
    done = 0
    with SequentialReader(source, WAVE) as reader, TableWriter(target, WAVE) as writer:
        for utterance, wave in reader:
            with within(f"utterance {utterance}"):
                writer.write(utterance, _extended(wave, options))
            done += 1
    log.info(f"Successfully extended {done} files.")


def _extended(wave: Wave, options: SilenceOptions) -> Wave:
    channels = [with_silence(channel, wave.sample_frequency, options) for channel in wave.data]
    return Wave(wave.sample_frequency, np.stack(channels))


main = command(extend_wav_with_silence, usage=USAGE)

if __name__ == "__main__":
    main()
