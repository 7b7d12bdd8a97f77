"""nnet-pytorch-validate-lang: twin of utils/validate_lang.pl."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.validation import problems_of

USAGE = """Check a lang directory.
Usage: nnet-pytorch-validate-lang [options] <lang-dir>
e.g.: nnet-pytorch-validate-lang data/lang_test"""


@dataclass
class Options:
    """Options of validate_lang.pl."""

    skip_determinization_check: bool = option(False, "Not whether L and G can be determinized, which may take long")


def validate_lang(options: Options, lang_dir: str) -> int:
    problems = problems_of(Lang(lang_dir), not options.skip_determinization_check)
    for problem in problems:
        log.warning(problem)
    log.info(f"{lang_dir}: {len(problems)} problems" if problems else f"Successfully validated {lang_dir}")
    return 1 if problems else 0


main = command(validate_lang, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
