"""Our programs by the names that Kaldi gives to their twins."""

import importlib

from kaldi_bridge.command import Command
from nnet3_compat.machine.programs import find_programs

MODULES = {program.kaldi_name: program.module for program in find_programs() if program.kaldi_name}


def twin(name: str) -> Command:
    main = importlib.import_module(MODULES[name]).main
    assert isinstance(main, Command)
    return main
