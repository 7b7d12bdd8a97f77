"""The helpers that recipes source or call, each as a process, as a recipe runs them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.places import UTILS


def run(name: str, *arguments: str, text: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(UTILS / name), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, cwd=cwd, timeout=60)


class TestRun:
    def test_each_job_gets_its_number_and_its_log(self, tmp_path: Path) -> None:
        result = run("run.py", "JOB=1:3", "log/a.JOB.log", "echo", "job JOB", "|", "tr", "a-z", "A-Z", cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        for number in (1, 2, 3):
            log = (tmp_path / f"log/a.{number}.log").read_text()
            assert f"JOB {number}" in log.splitlines()
            assert "# Ended (code 0)" in log

    def test_words_stay_as_they_are(self, tmp_path: Path) -> None:
        """Operators alone are the shell's, whatever else a word holds."""
        words = ["$(touch X)", "`touch X`", "a;touch${IFS}X", """it's "JOB\"""", "*", "a b", "\\", ">x", "~", ""]
        target = """it's a "file" """
        result = run("run.py", "JOB=7", "log", "printf", "%s\\n", *words, "|", "cat", ">&", target, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert (tmp_path / target).read_text() == "".join(f"{word}\n" for word in words).replace("JOB", "7")
        assert {path.name for path in tmp_path.iterdir()} == {"log", target}

    def test_both_outputs_go_into_a_file(self, tmp_path: Path) -> None:
        for i, end in enumerate(([">&", "out 0"], ["&>", "out 1"], [">", "out 2", "2>&1"])):
            assert run("run.py", "log", "ls", "/", "/nothing", "||", "true", cwd=tmp_path).returncode == 0
            assert run("run.py", "log", "(", "ls", "/", "/nothing", ")", *end, cwd=tmp_path).returncode == 1
            text = (tmp_path / f"out {i}").read_text()
            assert "nothing" in text and "tmp" in text

    def test_a_failed_job_is_named(self, tmp_path: Path) -> None:
        result = run("run.py", "JOB=1:2", "a.JOB.log", "test", "JOB", "=", "1", cwd=tmp_path)
        assert result.returncode == 1
        assert "1 / 2 failed, log is in a.2.log" in result.stderr

    def test_a_failure_inside_a_pipe_counts(self, tmp_path: Path) -> None:
        assert run("run.py", "a.log", "false", "|", "cat", cwd=tmp_path).returncode == 1

    def test_cluster_options_are_taken(self, tmp_path: Path) -> None:
        assert run("run.py", "--num-threads", "4", "--gpu", "1", "a.log", "true", cwd=tmp_path).returncode == 0

    @pytest.mark.parametrize(
        "arguments", [["--nonsense", "1", "a.log", "true"], ["JOB=1:2", "a.log", "true"], ["a.log"]]
    )
    def test_bad_usage(self, arguments: list[str], tmp_path: Path) -> None:
        assert run("run.py", *arguments, cwd=tmp_path).returncode == 1


class TestInt2sym:
    @pytest.fixture
    def table(self, tmp_path: Path) -> str:
        (tmp_path / "words.txt").write_text("<eps> 0\nzero 1\none 2\n")
        return str(tmp_path / "words.txt")

    def test_fields(self, table: str) -> None:
        assert run("int2sym.py", "-f", "2-", table, text="u1 1 2\nu2\n").stdout == "u1 zero one \nu2 \n"
        assert run("int2sym.py", "-f", "2", table, text="1 1 2\n").stdout == "1 zero 2 \n"

    def test_an_unknown_integer_is_an_error(self, table: str) -> None:
        result = run("int2sym.py", "-f", "2-", table, text="u1 7\n")
        assert result.returncode == 1
        assert "undefined symbol 7" in result.stderr


class TestSym2int:
    @pytest.fixture
    def table(self, tmp_path: Path) -> str:
        (tmp_path / "words.txt").write_text("<eps> 0\nzero 1\none 2\n<UNK> 3\n")
        return str(tmp_path / "words.txt")

    def test_fields(self, table: str) -> None:
        assert run("sym2int.py", "-f", "2-", table, text="u1 zero one\nu2\n").stdout == "u1 1 2\nu2\n"
        assert run("sym2int.py", table, text="zero one\n").stdout == "1 2\n"

    @pytest.mark.parametrize("oov", ["3", "<UNK>"])
    def test_unknown_words(self, table: str, oov: str) -> None:
        result = run("sym2int.py", "--map-oov", oov, "-f", "2-", table, text="u1 two one\n")
        assert result.stdout == "u1 3 2\n"
        assert "replacing two" in result.stderr
        assert run("sym2int.py", "-f", "2-", table, text="u1 two\n").returncode == 1


class TestBytes:
    """What is in the words, is between ASCII spaces, in whatever encoding (as sym2int.pl and int2sym.pl have it)."""

    TABLE = b"<eps> 0\ncaf\xe9 1\nna\xc3\xafve 2\no\xc2\xa0ne 3\n<UNK> 4\n"

    @pytest.fixture
    def table(self, tmp_path: Path) -> str:
        (tmp_path / "words.txt").write_bytes(self.TABLE)
        return str(tmp_path / "words.txt")

    @pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
    def test_there_and_back(self, table: str, locale: str) -> None:
        def program(name: str, *arguments: str, text: bytes) -> subprocess.CompletedProcess[bytes]:
            command = [sys.executable, str(UTILS / name), *arguments, "-f", "2-", table]
            return subprocess.run(command, input=text, capture_output=True, env={"LC_ALL": locale}, check=True)

        text = b"u\xe9 caf\xe9 o\xc2\xa0ne\nu2\tna\xc3\xafve\r\n"
        numbers = program("sym2int.py", text=text).stdout
        assert numbers == b"u\xe9 1 3\nu2 2\n"
        assert program("int2sym.py", text=numbers).stdout == b"u\xe9 caf\xe9 o\xc2\xa0ne \nu2 na\xc3\xafve \n"
        unknown = program("sym2int.py", "--map-oov", "4", text=b"u1 th\xe9\n")
        assert unknown.stdout == b"u1 4\n"
        assert b"replacing th\xe9 with 4\n" in unknown.stderr

    @pytest.mark.parametrize("name", ["sym2int.py", "int2sym.py"])
    def test_a_bad_line_of_the_table(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "words.txt").write_bytes(self.TABLE + b"th\xe9 noir 5\n")
        result = run(name, str(tmp_path / "words.txt"), text="")
        assert result.returncode == 1
        assert "bad line in symbol table" in result.stderr and "Traceback" not in result.stderr

    @pytest.mark.parametrize(
        ("fields", "expected"), [("2", "1 zero 1"), ("-2", "zero zero 1"), ("2:3", "1 zero zero"), ("3-", "1 1 zero")]
    )
    def test_fields(self, tmp_path: Path, fields: str, expected: str) -> None:
        (tmp_path / "words.txt").write_text("zero 1\n")
        result = run("int2sym.py", "-f", fields, str(tmp_path / "words.txt"), text="1 1 1\n")
        assert result.stdout == expected + " \n"
        assert run("int2sym.py", "-f", "x", str(tmp_path / "words.txt")).returncode == 1

    def test_best_wer(self, tmp_path: Path) -> None:
        command = [sys.executable, str(UTILS / "best_wer.py")]
        lines = b"caf\xe9/wer_7:%WER 9.10 [ 1 / 11 ]\n"
        done = subprocess.run(command, input=lines, capture_output=True, check=True)
        assert done.stdout == b"%WER 9.10 [ 1 / 11 ] caf\xe9/wer_7\n"


class TestBestWer:
    def test_the_first_of_the_lowest_wins(self) -> None:
        lines = "d/wer_7_0.0:%WER 9.10 [ 1 / 11 ]\nd/wer_8_0.0:%WER 8.80 [ 2 / 3 ]\nd/wer_9_0.0:%WER 8.80 [ 2 / 3 ]\n"
        assert run("best_wer.py", text=lines).stdout == "%WER 8.80 [ 2 / 3 ] d/wer_8_0.0\n"

    def test_nothing_to_choose_from(self) -> None:
        assert run("best_wer.py", text="nothing\n").returncode == 1


class TestSpeakerMaps:
    def test_there_and_back(self) -> None:
        utt2spk = "a-1 a\nb-1 b\na-2 a\n"
        spk2utt = run("utt2spk_to_spk2utt.py", text=utt2spk).stdout
        assert spk2utt == "a a-1 a-2\nb b-1\n"
        assert run("spk2utt_to_utt2spk.py", text=spk2utt).stdout == "a-1 a\na-2 a\nb-1 b\n"

    def test_files(self, tmp_path: Path) -> None:
        (tmp_path / "utt2spk").write_text("a-1 a\n")
        assert run("utt2spk_to_spk2utt.py", str(tmp_path / "utt2spk")).stdout == "a a-1\n"
        result = run("spk2utt_to_utt2spk.py", str(tmp_path / "nothing"))
        assert result.returncode == 1
        assert "nothing" in result.stderr

    @pytest.mark.parametrize("name", ["utt2spk_to_spk2utt.py", "spk2utt_to_utt2spk.py"])
    def test_bad_lines(self, name: str) -> None:
        result = run(name, text="a-1\n")
        assert result.returncode == 1
        assert "line 1" in result.stderr


class TestParseOptions:
    def parse(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        script = f'nj=4; use_gpu=false; some_name=; . "{UTILS}/parse_options.sh"; echo "$nj|$use_gpu|$some_name|$*"'
        return subprocess.run(["bash", "-c", script, "script", *arguments], capture_output=True, text=True, cwd=cwd)

    def test_both_forms(self) -> None:
        assert self.parse("--nj", "8", "--some-name=a b", "x", "--y").stdout == "8|false|a b|x --y\n"

    def test_the_command_line_overrides_the_config(self, tmp_path: Path) -> None:
        (tmp_path / "c").write_text("nj=2\nsome_name=c\n")
        assert self.parse("--nj", "3", "--config", "c", cwd=tmp_path).stdout == "3|false|c|\n"

    @pytest.mark.parametrize("arguments", [["--no-such", "1"], ["--use-gpu", "maybe"], ["--nj"]])
    def test_errors(self, arguments: list[str]) -> None:
        result = self.parse(*arguments)
        assert result.returncode == 1
        assert arguments[0] in result.stderr
