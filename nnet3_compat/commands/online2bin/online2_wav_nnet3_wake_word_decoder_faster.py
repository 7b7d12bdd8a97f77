"""nnet-pytorch-online2-wav-wake-word-decoder-faster: twin of online2-wav-nnet3-wake-word-decoder-faster."""

from __future__ import annotations

from kaldi_bridge.command import command
from nnet3_compat.utterances.wake_word import WakeWordOptions, spot_wake_words

USAGE = """Decode recordings as if they came in at the pace of speech until a wake word is heard, or to the end, and
print words as soon as they are settled. Features and i-vectors are made as by online2-wav-nnet3-latgen-faster.
Usage: nnet-pytorch-online2-wav-wake-word-decoder-faster [options] <nnet3-in> <fst-in> <spk2utt-rspecifier> \\
    <wav-rspecifier> <word-symbol-table> <transcript-wspecifier> <alignments-wspecifier>
For utterances by themselves, spk2utt is lines of "<utterance> <utterance>"."""


def online2_wav_wake_word_decoder_faster(
    options: WakeWordOptions,
    nnet3_in: str,
    fst_in: str,
    spk2utt_rspecifier: str,
    wav_rspecifier: str,
    word_symbol_table: str,
    transcript_wspecifier: str,
    alignments_wspecifier: str,
) -> int:
    files = (nnet3_in, fst_in, spk2utt_rspecifier, wav_rspecifier, word_symbol_table)
    return spot_wake_words(options, *files, transcript_wspecifier, alignments_wspecifier)


main = command(online2_wav_wake_word_decoder_faster, usage=USAGE)

if __name__ == "__main__":
    main()
