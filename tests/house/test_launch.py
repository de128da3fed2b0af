"""The launcher: where the environment goes, when it is made anew, and that nothing half-made is ever used."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launch import debian, environment, gate, installers, stages, wording

from tests.house.source_files import CHECKOUT

PYTHON = os.path.realpath(sys.executable)
# Stands for uv: "installs" a package `web` whose cli prints its arguments. It counts its runs, and can be slow or fail.
FAKE_UV = """#!/bin/sh
set -eu
[ "$1" != --version ] || exit 0
[ "$1" != venv ] || { for place; do :; done; exec %(python)s -m venv --without-pip "$place"; }
echo "$@" >>%(log)s
sleep "${FAKE_UV_SLEEPS:-0}"
exit "${FAKE_UV_EXIT:-0}"
"""
CLI = "import json, os, sys\nprint(json.dumps({'argv': sys.argv[1:], 'prefix': sys.prefix, 'cwd': os.getcwd()}))\n"


class Copy:
    """A copy of the launchers beside a tiny product, and a home folder, with only our own uv on the path."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.home, self.tools = folder / "a checkout", folder / "home", folder / "tools"
        self.log = folder / "uv.log"
        for each in (self.checkout / "web", self.home, self.tools):
            each.mkdir(parents=True)
        shutil.copytree(
            CHECKOUT / ".ci" / "launch",
            self.checkout / ".ci" / "launch",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        shutil.copy(CHECKOUT / "ventana", self.checkout / "ventana")
        (self.checkout / "web" / "cli.py").write_text(CLI)
        for lock in ("requirements.lock", "requirements-test.lock"):
            (self.checkout / lock).write_text("one==1\ntwo==2\n")
        (self.tools / "uv").write_text(FAKE_UV % {"python": PYTHON, "log": self.log})
        (self.tools / "uv").chmod(0o755)
        self.venv = self.checkout / ".venv"

    def start(self, *arguments: str, cwd: Path | None = None, **extra: str) -> subprocess.Popen[str]:
        """Start `./ventana` as a user would, with these variables on top of an empty environment."""
        path = f"{self.tools}:/usr/bin:/bin"
        variables = {"PATH": path, "HOME": str(self.home), "VENTANA_PYTHON": PYTHON} | extra
        return subprocess.Popen(
            [self.checkout / "ventana", *arguments],
            cwd=cwd or self.home,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, cwd: Path | None = None, **extra: str) -> tuple[int, str, str]:
        child = self.start(*arguments, cwd=cwd, **extra)
        out, err = child.communicate(timeout=60)
        return child.returncode, out, err

    def installs(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_the_first_run_makes_the_environment_and_the_second_does_nothing(copy: Copy) -> None:
    code, out, err = copy.run("probe", "--json", "a b")
    assert (code, json.loads(out)["argv"], json.loads(out)["prefix"]) == (
        0,
        ["probe", "--json", "a b"],
        str(copy.venv),
    )
    assert "preparing the environment" in err
    assert "ready" in err
    assert copy.run("again")[2] == ""
    assert copy.installs() == 1


def test_it_stays_where_the_user_stands_and_never_imports_from_there(copy: Copy, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "web").mkdir(parents=True)
    (elsewhere / "web" / "__init__.py").write_text("raise SystemExit('imported from where the user stands')")
    code, out, _ = copy.run(cwd=elsewhere, PYTHONPATH=str(elsewhere))
    assert (code, json.loads(out)["cwd"]) == (0, str(elsewhere))


def test_it_runs_through_a_link(copy: Copy, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(copy.checkout / "ventana")
    run = subprocess.run(
        [tmp_path / "link"],
        env={"PATH": f"{copy.tools}:/usr/bin:/bin", "HOME": str(copy.home), "VENTANA_PYTHON": PYTHON},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout)["prefix"] == str(copy.venv)


def test_a_changed_lock_is_installed_again(copy: Copy) -> None:
    copy.run()
    (copy.checkout / "requirements.lock").write_text("one==1\ntwo==3\n")
    copy.run()
    assert copy.installs() == 2
    copy.run()
    assert copy.installs() == 2


def test_the_test_tools_stay_when_the_lock_changes(copy: Copy) -> None:
    copy.run()
    environment.write_stamp(copy.venv, copy.checkout / "requirements-test.lock")
    (copy.checkout / "requirements.lock").write_text("one==2\n")
    (copy.checkout / "requirements-test.lock").write_text("one==2\ntools==1\n")
    copy.run()
    assert "requirements-test.lock" in copy.log.read_text().splitlines()[-1]


def test_another_interpreter_makes_it_from_nothing(copy: Copy) -> None:
    copy.run()
    (copy.venv / ".ventana" / "interpreter").write_text("/usr/bin/python2\n")
    (copy.venv / "left-over").touch()
    copy.run()
    assert copy.installs() == 2
    assert not (copy.venv / "left-over").exists()


def test_an_install_that_fails_leaves_nothing_that_looks_whole(
    copy: Copy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    create = (PYTHON, "-m", "venv", "--without-pip", str(copy.venv))
    ways = [
        installers.Installer(name, create, ("sh", "-c", f"echo {name} broke; exit 1"))
        for name in ("one", "two")
    ]
    monkeypatch.setattr(environment, "installers", lambda *_: iter(ways))
    assert environment.main([str(copy.checkout / "requirements.lock"), str(copy.venv)]) == 69
    said = capsys.readouterr().err
    assert [word in said for word in ("one broke", "two broke", "nothing half-made is used")] == [True] * 3
    assert not (copy.venv / ".ventana").exists()
    assert copy.run()[0] == 0


def test_a_killed_install_is_started_over(copy: Copy) -> None:
    child = copy.start(FAKE_UV_SLEEPS="30")
    _wait_until(lambda: copy.installs() == 1)
    [maker] = _children(child.pid)
    os.kill(maker, signal.SIGKILL)
    child.communicate(timeout=10)
    assert child.returncode != 0
    code, _, err = copy.run()
    assert (code, copy.installs()) == (0, 2)
    assert "preparing" in err


def test_a_terminated_install_takes_its_installer_along(copy: Copy) -> None:
    child = copy.start(FAKE_UV_SLEEPS="30")
    _wait_until(lambda: copy.installs() == 1)
    [maker] = _children(child.pid)
    [installer] = _children(maker)
    os.kill(maker, signal.SIGTERM)
    child.communicate(timeout=10)
    assert not Path(f"/proc/{installer}").exists()
    assert not (copy.venv / ".ventana").exists()


def _children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        pytest.skip("this kernel does not list a process's children")
    return [int(child) for child in children.read_text().split()]


def _wait_until(true: object) -> None:
    assert callable(true)
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_two_first_runs_at_once_install_once(copy: Copy) -> None:
    both = [copy.start(FAKE_UV_SLEEPS="2") for _ in range(2)]
    spoken = [child.communicate(timeout=60)[1] for child in both]
    assert [child.returncode for child in both] == [0, 0]
    assert copy.installs() == 1
    assert sum("waiting for it" in words for words in spoken) == 1


def test_the_place_can_be_named_and_a_folder_of_somebody_else_is_left_alone(copy: Copy) -> None:
    named = copy.home / "named"
    assert json.loads(copy.run(VENTANA_VENV=str(named))[1])["prefix"] == str(named)
    (copy.home / "letters").mkdir()
    (copy.home / "letters" / "dear.txt").write_text("dear")
    code, _, err = copy.run(VENTANA_VENV="letters")
    assert code == 69
    assert "left as it is" in err
    assert (copy.home / "letters" / "dear.txt").read_text() == "dear"


def test_a_checkout_that_cannot_be_written_uses_the_cache(copy: Copy) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes to read-only folders")
    copy.checkout.chmod(0o555)
    prefix = json.loads(copy.run()[1])["prefix"]
    copy.checkout.chmod(0o755)
    assert prefix.startswith(f"{copy.home}/.cache/ventana/venv-")


def test_without_a_new_enough_python_it_says_what_to_do(copy: Copy) -> None:
    (copy.tools / "uv").unlink()
    code, _, err = copy.run(VENTANA_PYTHON="no-such-python")
    assert code == 69
    assert "3.11" in err
    assert "VENTANA_PYTHON=" in err
    assert "hace falta" in copy.run(VENTANA_PYTHON="no-such-python", LANG="es_ES.UTF-8")[2]


def test_every_sentence_is_said_in_both_languages_with_the_same_facts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for key, (english, spanish) in wording.WORDS.items():
        assert _facts(english) == _facts(spanish), key
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    assert wording.wording("interrupted").startswith("interrumpido")
    monkeypatch.setenv("LC_ALL", "C")
    assert wording.wording("interrupted").startswith("interrupted")


def _facts(sentence: str) -> set[str]:
    return {piece.split("}")[0].split(":")[0] for piece in sentence.split("{")[1:]}


def test_uv_comes_before_pip_and_every_way_checks_hashes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(installers, "_working_uv", lambda: "uv")
    monkeypatch.setattr(installers, "_pip_of_debian", lambda _: tmp_path / "pip.whl")
    ways = list(installers.installers(tmp_path / "venv", tmp_path / "a.lock", tmp_path))
    assert ways[0].name == "uv"
    assert ways[-1].install[1] == f"{tmp_path}/pip.whl/pip"
    assert all("--require-hashes" in way.install and str(tmp_path / "a.lock") in way.install for way in ways)


def test_a_package_counts_as_there_when_its_program_is() -> None:
    assert debian.Need("dash", "sh", "shells").is_met()
    assert debian.Need("passwords", "/etc/pass*", "files").is_met()
    assert not debian.Need("nothing", "no-such-program", "nothing").is_met()
    assert not debian.Need("nothing", "/no/such/*", "nothing").is_met()


def test_packages_are_not_installed_where_it_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENTANA_NO_APT", "1")
    need = debian.Need("nothing", "no-such-program", "nothing")
    monkeypatch.setattr(debian, "NEEDS", (need,))
    monkeypatch.setattr(debian, "_apt_get", lambda *_: pytest.fail("asked apt-get"))
    assert debian.provide() == [need]


def test_the_full_gate_is_the_usual_one_and_the_slow_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(stage: stages.Stage) -> stages.Outcome:
        ran.append(stage.name)
        return stages.Outcome(stage, 1, 0)

    monkeypatch.setattr(debian, "provide", lambda *_: [])
    monkeypatch.setattr(stages, "run", run)
    usual, full = gate.gate_of([]), gate.gate_of(["full"])
    assert usual
    assert full
    usual()
    expected, ran[:] = [*ran, "slow"], []
    full()
    assert sorted(ran) == sorted(expected)
    assert "--ignore=tests/slow" in stages.services().command


def _stage(*command: str, minutes: float = 1, is_tests: bool = False) -> stages.Stage:
    return stages.Stage("it", (sys.executable, *command), minutes, tests=is_tests)


def test_a_stage_fails_by_its_exit_code_and_keeps_what_was_said() -> None:
    good, bad = (
        stages.run(_stage("-c", "print('fine')")),
        stages.run(_stage("-c", "raise SystemExit('broken')")),
    )
    assert (good.passed, good.failed, good.output.strip()) == (1, 0, "fine")
    assert (bad.passed, bad.failed, bad.output.strip()) == (0, 1, "broken")


def test_a_stage_that_hangs_is_killed_with_all_it_started(tmp_path: Path) -> None:
    script = f"import subprocess; subprocess.run(['sh', '-c', 'echo $$ > {tmp_path}/pid; exec sleep 60'])"
    outcome = stages.run(_stage("-c", script, minutes=2 / 60))
    grandchild = (tmp_path / "pid").read_text().strip()
    assert outcome.failed == 1
    assert "killed after" in outcome.output
    _wait_until(lambda: _is_gone(grandchild))


def _is_gone(pid: str) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] == "Z"


TESTS = """
import pytest
def test_passes(): pass
def test_fails(): assert False
@pytest.fixture
def broken(): raise OSError("no")
def test_errs(broken): pass
@pytest.mark.parametrize("n", [1, 2])
def test_skips(n): pytest.skip("no such server")
"""


def test_tests_are_counted_and_skips_keep_their_reason(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    outcome = stages.run(_stage("-m", "pytest", "--rootdir", str(tmp_path), str(tmp_path), is_tests=True))
    assert (outcome.passed, outcome.failed, outcome.skipped) == (1, 2, 2)
    assert outcome.skips == {"no such server": 2}


def test_a_run_without_any_test_has_failed(tmp_path: Path) -> None:
    outcome = stages.run(_stage("-m", "pytest", "--rootdir", str(tmp_path), str(tmp_path), is_tests=True))
    assert (outcome.passed, outcome.failed) == (0, 1)
