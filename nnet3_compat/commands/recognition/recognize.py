"""nnet-pytorch-recognize: what is said in recordings, by a model as it is handed on."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.recognition.transcription import TranscriptionOptions, transcribe

USAGE = """Recognize what is said in wave files (or raw PCM, with --rate), segment by segment, as it would come in.
The model is a folder for Vosk, or a directory of Kaldi's for online decoding (prepare_online_decoding.sh) with a graph
inside or by --graph. Recordings at any rate; "-" is the standard input.

Usage: nnet-pytorch-recognize [options] <model-dir> <recording1> [<recording2> ...]
e.g.:
 nnet-pytorch-recognize vosk-model-small-en-us-0.15 talk.wav
 nnet-pytorch-recognize --output=srt --output-dir=captions vosk-model-small-en-us-0.15 a.wav b.wav
 arecord -f S16_LE -r 16000 -t raw | nnet-pytorch-recognize --rate=16000 vosk-model-small-en-us-0.15 -"""


@dataclass
class Options(TranscriptionOptions):
    """Options of nnet-pytorch-recognize."""


def recognize(options: Options, model_dir: str, recording: str, *recordings: str) -> int:
    return transcribe(options, model_dir, recording, *recordings)


main = command(recognize, usage=USAGE)

if __name__ == "__main__":
    main()
