"""nnet-pytorch-validate-dict-dir: twin of utils/validate_dict_dir.pl."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.lang.dictionary import Dictionary

USAGE = """Check a dictionary directory, of which a lang directory can be made.
Usage: nnet-pytorch-validate-dict-dir <dict-dir>
e.g.: nnet-pytorch-validate-dict-dir data/local/dict"""


def validate_dict_dir(dict_dir: str) -> int:
    dictionary = Dictionary.read(dict_dir)
    log.info(f"Successfully validated {dict_dir}: {len(dictionary.lexicon)} pronunciations")
    return 0


main = command(validate_dict_dir, usage=USAGE)

if __name__ == "__main__":
    main()
