"""nnet-pytorch-online2-wav-gmm-latgen-faster: twin of online2-wav-gmm-latgen-faster."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.online.gmm_decoding import GmmOnlineModels
from kaldi_bridge.online.gmm_features import GmmFeatureSetup
from kaldi_bridge.online.gmm_recordings import RecordingOptions, decode_recordings

USAGE = """Decode recordings with a GMM as if they came in at the pace of speech, with basis fMLLR for each speaker, and
endpoints where --do-endpointing asks for them. Models are specified by options.
Usage: nnet-pytorch-online2-wav-gmm-latgen-faster [options] <fst-in> <spk2utt-rspecifier> <wav-rspecifier>
 <lattice-wspecifier>
e.g.: nnet-pytorch-online2-wav-gmm-latgen-faster --config=conf/online_decoding.conf HCLG.fst ark:spk2utt scp:wav.scp \\
 ark:1.lats"""


@dataclass
class Options(RecordingOptions):
    """Options of online2-wav-gmm-latgen-faster."""


def online2_wav_gmm_latgen_faster(
    options: Options, fst_in: str, spk2utt: str, wav_rspecifier: str, lattices: str
) -> int:
    models = GmmOnlineModels(options, GmmFeatureSetup(options), fst_in)
    return decode_recordings(options, models, spk2utt, wav_rspecifier, lattices)


main = command(online2_wav_gmm_latgen_faster, usage=USAGE)

if __name__ == "__main__":
    main()
