"""nnet-pytorch-compress-uncompress-speex: twin of compress-uncompress-speex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, without_effect
from kaldi_bridge.errors import within
from kaldi_bridge.features.speex import SpeexCodec, SpeexOptions
from kaldi_bridge.io.wave import Wave
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import WAVE

USAGE = """Write recordings as they sound after the Speex codec, which libspeex has to be installed for.
Usage: nnet-pytorch-compress-uncompress-speex [options] <wav-rspecifier> <wav-wspecifier>
e.g.: nnet-pytorch-compress-uncompress-speex scp:wav.scp ark:-"""


@dataclass
class Options(SpeexOptions):
    """Options of compress-uncompress-speex."""

    chunk_length: float = without_effect(0.05, "Seconds at a time: the frames are the same")


def compress_uncompress_speex(options: Options, wav_rspecifier: str, wav_wspecifier: str) -> None:
    codec = SpeexCodec(options)
    done = 0
    with SequentialReader(wav_rspecifier, WAVE) as reader, TableWriter(wav_wspecifier, WAVE) as writer:
        for key, wave in reader:
            with within(f"recording {key}"):
                rate = wave.sample_frequency
                writer.write(key, Wave(rate, np.stack([codec.through(channel, rate) for channel in wave.data])))
            done += 1
    log.info(f"Successfully processed {done} files.")


main = command(compress_uncompress_speex, usage=USAGE)

if __name__ == "__main__":
    main()
