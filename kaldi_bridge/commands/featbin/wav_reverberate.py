"""nnet-pytorch-wav-reverberate: twin of wav-reverberate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.reverberation import Noise, fitted, reverberated
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.text import real_number
from kaldi_bridge.io.wave import Wave, read_wave, write_wave

USAGE = """Put a recording into a room, by an impulse response, and add noises to it.
Usage: nnet-pytorch-wav-reverberate [options] <wav-in-rxfilename> <wav-out-wxfilename>
e.g.: nnet-pytorch-wav-reverberate --duration=20.25 --impulse-response=rir.wav \\
    --additive-signals='noise1.wav,noise2.wav' --snrs='20.0,15.0' --start-times='0,17.8' input.wav output.wav"""


@dataclass
class Options:
    """Options of wav-reverberate."""

    impulse_response: str = option("", "Impulse response of the room: a wave file, or a command that ends in |")
    additive_signals: str = option("", "Comma-separated noises, as --impulse-response; need --snrs and --start-times")
    snrs: str = option("", "Comma-separated signal-to-noise ratios in dB of --additive-signals")
    start_times: str = option("", "Comma-separated beginnings of --additive-signals in seconds")
    input_wave_channel: int = option(0, "Channel of the input")
    rir_channel: int = option(0, "Channel of the impulse response, without --multi-channel-output")
    noise_channel: int = option(0, "Channel of the noises, without --multi-channel-output")
    multi_channel_output: bool = option(False, "As many channels as the impulse response")
    shift_output: bool = option(
        True, "Begin at the peak of the impulse response, as long as the input; else as much longer as it is"
    )
    normalize_output: bool = option(True, "The output is as loud as the input was")
    duration: float = option(0.0, "If nonzero, seconds of the output: the input is cut or repeated")
    volume: float = option(0.0, "If nonzero, factor of the output in place of --normalize-output")


def wav_reverberate(options: Options, wav_in: str, wav_out: str) -> None:
    if options.multi_channel_output and (options.rir_channel or options.noise_channel):
        log.warning("options for --rir-channel and --noise-channel are ignored as --multi-channel-output is true.")
    wave = _read(wav_in)
    rate, signal = wave.sample_frequency, _channel(wave, options.input_wave_channel, wav_in)
    room = _read(options.impulse_response) if options.impulse_response else None
    noises = _noises(options, rate)
    if options.multi_channel_output and room is None:
        raise KaldiError("--multi-channel-output needs an --impulse-response, whose channels it has")
    channels = len(room.data) if options.multi_channel_output and room else 1
    length = int(np.float32(rate) * np.float32(options.duration)) if options.duration > 0 else len(signal)
    if options.duration <= 0 and not options.shift_output:
        length += (room.data.shape[1] if room else 0) - 1
    made = np.zeros((channels, length), np.float32)
    for channel in range(channels):
        own = channel if options.multi_channel_output else options.noise_channel
        added = [
            Noise(_channel(noise, own, "a noise"), snr, int(np.float32(start) * np.float32(rate)))
            for noise, snr, start in noises
        ]
        own = channel if options.multi_channel_output else options.rir_channel
        response = _channel(room, own, options.impulse_response) if room else None
        samples = reverberated(signal, rate, response, added, options.normalize_output, options.volume)
        first = int(response.argmax()) if response is not None and options.shift_output else 0
        made[channel] = fitted(samples, first, len(signal), length)
    with open_output(wav_out) as stream:
        write_wave(stream, Wave(rate, made))


def _read(rxfilename: str) -> Wave:
    with open_input(rxfilename) as stream:
        return read_wave(stream)


def _channel(wave: Wave, channel: int, name: str) -> np.ndarray:
    if not 0 <= channel < len(wave.data):
        raise KaldiError(f"{name} has {len(wave.data)} channels, no channel {channel}")
    return wave.data[channel]


def _noises(options: Options, rate: float) -> list[tuple[Wave, float, float]]:
    if not options.additive_signals:
        return []
    if not options.snrs or not options.start_times:
        raise KaldiError("--additive-signals option requires --snrs and --start-times to be set.")
    names = [name for name in options.additive_signals.split(",") if name]
    snrs, starts = _numbers(options.snrs, "--snrs"), _numbers(options.start_times, "--start-times")
    if not len(names) == len(snrs) == len(starts):
        raise KaldiError(f"{len(names)} --additive-signals have {len(snrs)} --snrs and {len(starts)} --start-times")
    if min(starts, default=0) < 0:
        raise KaldiError(f"--start-times={options.start_times}: noises cannot begin before the signal")
    noises = [_read(name) for name in names]
    for name, noise in zip(names, noises, strict=True):
        if noise.sample_frequency != rate:
            raise KaldiError(f"{name} is at {noise.sample_frequency:g} Hz, the input at {rate:g} Hz")
    return list(zip(noises, snrs, starts, strict=True))


def _numbers(text: str, name: str) -> list[float]:
    return [real_number(word, name) for word in text.split(",") if word]


main = command(wav_reverberate, usage=USAGE)

if __name__ == "__main__":
    main()
