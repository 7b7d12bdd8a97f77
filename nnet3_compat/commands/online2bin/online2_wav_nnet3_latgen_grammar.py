"""nnet-pytorch-online2-wav-latgen-grammar: twin of online2-wav-nnet3-latgen-grammar."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.utterances.online_decoding import OnlineDecodingOptions, decode_online

USAGE = """Decode recordings as if they came in at the pace of speech: features, their normalization and i-vectors are
made of what was heard so far. With --do-endpointing, stop at the end of speech.
Usage: nnet-pytorch-online2-wav-latgen-grammar [options] <model-in> <grammar-fst-in> <spk2utt-rspecifier> \\
    <wav-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-online2-wav-latgen-grammar --config=exp/tdnn_online/conf/online.conf --frame-subsampling-factor=3 \\
    --acoustic-scale=1.0 exp/tdnn_online/final.mdl exp/HCLG_grammar.fst ark:data/test/spk2utt scp:data/test/wav.scp \\
    "ark:|gzip -c >lat.1.gz"
For utterances by themselves, spk2utt is lines of "<utterance> <utterance>"."""


@dataclass
class Options(OnlineDecodingOptions):
    """Options of online2-wav-nnet3-latgen-grammar."""


def online2_wav_latgen_grammar(
    options: Options, model_in: str, fst_in: str, spk2utt_rspecifier: str, wav_rspecifier: str, lattice_wspecifier: str
) -> int:
    return decode_online(options, model_in, fst_in, spk2utt_rspecifier, wav_rspecifier, lattice_wspecifier)


main = command(online2_wav_latgen_grammar, usage=USAGE)

if __name__ == "__main__":
    main()
