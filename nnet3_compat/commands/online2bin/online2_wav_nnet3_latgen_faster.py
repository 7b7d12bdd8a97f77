"""nnet-pytorch-online2-wav-latgen-faster: twin of online2-wav-nnet3-latgen-faster."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.utterances.online_decoding import OnlineDecodingOptions, decode_online

USAGE = """Decode recordings as if they came in at the pace of speech: features, their normalization and i-vectors are
made of what was heard so far. With --do-endpointing, stop at the end of speech.
Usage: nnet-pytorch-online2-wav-latgen-faster [options] <model-in> <fst-in> <spk2utt-rspecifier> <wav-rspecifier> \\
    <lattice-wspecifier>
e.g.: nnet-pytorch-online2-wav-latgen-faster --config=exp/tdnn_online/conf/online.conf --frame-subsampling-factor=3 \\
    --acoustic-scale=1.0 exp/tdnn_online/final.mdl exp/graph/HCLG.fst ark:data/test/spk2utt scp:data/test/wav.scp \\
    "ark:|gzip -c >lat.1.gz"
For utterances by themselves, spk2utt is lines of "<utterance> <utterance>"."""


@dataclass
class Options(OnlineDecodingOptions):
    """Options of online2-wav-nnet3-latgen-faster."""


def online2_wav_latgen_faster(
    options: Options, model_in: str, fst_in: str, spk2utt_rspecifier: str, wav_rspecifier: str, lattice_wspecifier: str
) -> int:
    return decode_online(options, model_in, fst_in, spk2utt_rspecifier, wav_rspecifier, lattice_wspecifier)


main = command(online2_wav_latgen_faster, usage=USAGE)

if __name__ == "__main__":
    main()
