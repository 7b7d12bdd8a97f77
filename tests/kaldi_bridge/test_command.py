"""Programs behave at the terminal as Kaldi's do."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaldi_bridge import log
from kaldi_bridge.command import run
from tests.helpers import echo_program
from tests.helpers.echo_program import main

PROGRAM = Path(echo_program.__file__)


def execute(*arguments: str, shell: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *arguments]
    if shell:
        return subprocess.run(["bash", "-c", shell, "bash", *command], capture_output=True, text=True, timeout=60)
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_echoes_the_command_line_as_one_could_type_it(capsys):
    assert run(main, ["--scale=2", "show", "a b", "it's", ""]) == 0
    assert capsys.readouterr().err.startswith("nnet-pytorch-echo --scale=2 show 'a b' \"it's\" '' \n")
    assert run(main, ["--print-args=false", "show"]) == 0
    assert capsys.readouterr().err == ""


def test_options_reach_the_function(capsys):
    assert (
        run(main, ["--Some_Number=-7", "--binary=f", "--file-name=a=b", "--optimization.optimize=false", "show"]) == 0
    )
    out = capsys.readouterr().out
    assert "some_number=-7" in out and "binary=False" in out and "file_name='a=b'" in out and "optimize=False" in out


@pytest.mark.parametrize("arguments", [[], ["--scale=2"]])
def test_no_arguments_shows_the_usage(arguments, capsys):
    assert run(main, arguments) == 1
    err = capsys.readouterr().err
    assert "\nDo something\nUsage: echo-program" in err
    assert "\nOptions:\n  --binary                    : Binary or not (bool, default = true)\n" in err
    assert "  --scale                     : A real number (float, default = 0.1)\n" in err
    assert '  --file-name                 : A string (string, default = "")\n' in err
    assert "  --count                     : A natural number (uint, default = 3)\n" in err
    assert "\n\nStandard options:\n  --config " in err and "ERROR" not in err


def test_help_goes_to_stderr_and_succeeds(capsys):
    assert run(main, ["show", "--help"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "" and "Standard options:" in captured.err


def test_an_option_without_effect_says_so_and_why(capsys):
    assert run(main, ["--help"]) == 0
    err = capsys.readouterr().err
    own = err.index("\nOptions:\n")
    section = err.index("\nOptions without effect, accepted because scripts pass them:\n")
    assert (
        own < section < err.index("  --memory-pool               : Memory is taken") < err.index("\nStandard options:")
    )


def test_version_goes_to_stdout(capsys):
    assert run(main, ["--version", "no", "such", "arguments"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"nnet-pytorch-echo (nnet-pytorch {log.VERSION})\n" and captured.err == ""


def test_the_shell_completes_options():
    shown = execute("--show-completion", "bash")
    assert shown.returncode == 0 and "complete -o default" in shown.stdout
    words = {"COMP_WORDS": "nnet-pytorch-echo-program --some", "COMP_CWORD": "1"}
    environment = os.environ | words | {"_NNET_PYTORCH_ECHO_PROGRAM_COMPLETE": "complete_bash"}
    done = subprocess.run([sys.executable, str(PROGRAM)], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["--some-number"]


def test_too_many_arguments():
    def two(first: str, second: str) -> None: ...

    from kaldi_bridge.command import command

    program = command(two, usage="x\n")
    assert run(program, ["a", "b"]) == 0
    assert run(program, ["a"]) == 1
    assert run(program, ["a", "b", "c"]) == 1


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--no-such=1", "Invalid option --no-such=1"),
        ("--some-number=1.5", 'Invalid integer option "1.5" (--some-number)'),
        ("--some-number", 'Invalid integer option "" (--some-number)'),
        ("--some-number=9999999999", "9999999999"),
        ("--count=-1", '"-1" (--count)'),
        ("--scale=0x1", '"0x1" (--scale)'),
        ("--binary=yes", "yes (--binary)"),
        ("--binary=", "Invalid option --binary="),
        ("--file-name", "--file-name (option format is --x=y)"),
        ("--=x", "(no key): --=x"),
        ("--config=/no/such", "/no/such"),
    ],
)
def test_a_bad_option_is_named_and_exits_with_255(argument, message, capsys):
    assert run(main, [argument, "show"]) == 255
    assert re.search(r"^ERROR \(.*\) .*" + re.escape(message), capsys.readouterr().err, re.M)


def test_exit_statuses(capsys):
    assert run(main, ["status", "0"]) == 0
    assert run(main, ["status", "3"]) == 3
    assert run(main, ["error", "what went wrong"]) == 255
    assert ") what went wrong\n" in capsys.readouterr().err
    assert run(main, ["interrupt"]) == 130
    assert run(main, ["memory"]) == 255
    assert ") Out of memory\n" in capsys.readouterr().err
    assert run(main, ["file", "/no/such/file"]) == 255
    assert ") /no/such/file: No such file or directory\n" in capsys.readouterr().err


def test_a_bug_shows_its_traceback_only_when_asked(capsys):
    assert run(main, ["bug"]) == 255
    assert "Traceback" not in capsys.readouterr().err
    assert run(main, ["--verbose=1", "bug"]) == 255
    assert "Traceback" in capsys.readouterr().err


def test_log_lines_have_kaldis_form(capsys):
    assert run(main, ["--verbose=2", "talk"]) == 0
    lines = capsys.readouterr().err.splitlines()[1:]
    forms = [r"LOG \({}\) an information", r"WARNING \({}\) a warning", r"VLOG\[2\] \({}\) a detail"]
    where = r"nnet-pytorch-echo\[\d+\.\d+\.\d+\]:echo\(\):echo_program\.py:\d+"
    for form, line in zip(forms, lines, strict=True):
        assert re.fullmatch(form.format(where), line)


def test_time_taken_for_nothing_has_no_factor():
    assert log.time_taken(2.0, 400) == "Time taken 2s: real-time factor assuming 100 frames/sec is 0.5"
    assert log.time_taken(2.0, 0) == "Time taken 2s, for no frames"


def test_a_missing_package_is_named_with_what_to_install(capsys):
    assert run(main, ["import", "no_such_package"]) == 255
    assert ") This needs the package no_such_package, which is not installed: pip install" in capsys.readouterr().err


def test_version_in_log_lines():
    assert importlib.metadata.version("nnet-pytorch") == log.VERSION


def test_a_small_program_imports_neither_torch_nor_typer():
    modules = execute("modules").stdout.split()
    assert "numpy" in modules
    assert not {"torch", "typer", "rich", "kaldi_native_io", "scipy"} & set(modules)


def test_program_name_and_status_of_a_process():
    result = execute("error", "x")
    assert result.returncode == 255
    assert result.stderr.startswith("nnet-pytorch-echo-program error x \nERROR (nnet-pytorch-echo-program[")


def test_nobody_reads_the_output(tmp_path):
    big = tmp_path / "big.txt"
    big.write_text("a [ " + "1 2 3 4\n" * 200_000 + "]\n")
    result = execute("copy", f"ark,t:{big}", "ark,t:-", shell='"$@" | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}')
    assert result.returncode == 141
    assert len(result.stderr.splitlines()) == 1  # nothing after the command line


def test_the_disk_is_full(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("a [ 1 2 ]\n")
    for output, shell in [("ark:/dev/full", '"$@"'), ("ark:-", '"$@" > /dev/full')]:
        result = execute("copy", f"ark:{text}", output, shell=shell)
        assert result.returncode == 255
        assert "No space left on device" in result.stderr and "Traceback" not in result.stderr
    result = execute("show", shell='"$@" > /dev/full')
    assert result.returncode == 255 and "Exception ignored" not in result.stderr
    assert ") Cannot write standard output: No space left on device\n" in result.stderr


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        ("ark:no/such/out", "Error opening output no/such/out: No such file or directory"),
        ("ark,scp:out,no/out.scp", "Error opening output no/out.scp: No such file or directory"),
        ("ark:/proc/out", "Error opening output /proc/out: "),
        ("ark:| exit 3", "Pipe '| exit 3' failed with status 3"),
        ("ark:/dev/full", "Cannot write /dev/full: No space left on device"),
    ],
)
def test_an_output_that_cannot_be_written_is_named(tmp_path, monkeypatch, capfd, output, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a [ " + "1 2 3 4\n" * 100_000 + "]\n")
    assert run(main, ["copy", "ark:a.txt", output]) == 255
    assert re.search(r"^ERROR \(.*\) " + re.escape(problem), capfd.readouterr().err, re.M)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_that_cannot_be_finished_does_not_appear(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("a [ " + "1 2 3 4\n" * 10_000 + "]\n")
    shell = 'ulimit -f 1; "$@"'
    result = execute("copy", f"ark:{text}", f"ark,scp:{tmp_path}/x.ark,{tmp_path}/x.scp", shell=shell)
    assert result.returncode == 255 and "File too large" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


WORDS = st.sampled_from(
    ["--binary", "--scale", "--count=1", "--help", "--no", "=", "1", "show", "-", "--", "é", "--config"]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(WORDS, max_size=3).map("".join), max_size=5))
def test_any_command_line_has_a_status(capfd, words):
    assert run(main, words) in (0, 1, 255)
    assert "Traceback" not in capfd.readouterr().err


def test_termination_leaves_no_temporary_file(tmp_path):
    out = tmp_path / "out.ark"
    shell = '"$@" & sleep 0.7; kill -TERM $!; wait $!'
    result = execute("copy", "ark:exec sleep 5 2>/dev/null |", f"ark:{out}", shell=shell)
    assert result.returncode == 143
    assert list(tmp_path.iterdir()) == []
