"""The image built and started without a Docker engine: buildah, on a Debian made by debootstrap.

Takes minutes and leaves a cached base of 200 MB, so it is part of `./test full` alone.
"""

import fcntl
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures import asterisk_root
from fixtures.sshd import free_port
from tests.house.source_files import CHECKOUT

pytestmark = pytest.mark.skipif(
    os.environ.get("VENTANA_FULL") != "1", reason="building an image takes minutes: ./test full"
)
BASE = "localhost/ventana-base:1"
SUITE = "bookworm"
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
ALONE = ("unshare", "--mount", "--propagation", "private")


class Buildah:
    """Debian's buildah with a storage of its own, without an engine and without a namespace for users."""

    def __init__(self, storage: Path) -> None:
        self._command = ["buildah", "--root", str(storage / "root"), "--runroot", str(storage / "run")]

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._command, *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments[0]}: {done.stdout[-1500:]}{done.stderr[-3000:]}"
        return done.stdout.strip()

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs"}

    def start(self, container: str, *command: str, log: Path, **variables: str) -> subprocess.Popen[bytes]:
        """Run a command of the container until it is stopped."""
        options = [option for name, value in variables.items() for option in ("--env", f"{name}={value}")]
        with log.open("wb") as file:
            return subprocess.Popen(
                [*self._command, "run", *options, container, "--", *command],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )


def missing() -> str | None:
    """Why no image can be built here."""
    if os.geteuid() != 0:
        return "building an image without an engine needs root"
    for program in ("buildah", "debootstrap"):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian: {program})"
    return None if asterisk_root.mirror() else "apt knows no Debian mirror on this machine"


def debian_root() -> Path:
    """A minimal Debian with Python, made once; it trusts whom this machine trusts and asks the same archive."""
    root = asterisk_root.cache() / f"container-{SUITE}"
    root.parent.mkdir(parents=True, exist_ok=True)
    with (root.parent / f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "made").exists():
            shutil.rmtree(root, ignore_errors=True)
            options = ("--variant=minbase", f"--keyring={asterisk_root.KEYRING}")
            subprocess.run(
                [*ALONE, "debootstrap", *options, "--include=python3,ca-certificates", SUITE, str(root),
                 asterisk_root.mirror() or ""],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            (root / "made").touch()
    return root


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """Buildah with the base image in it."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    storage = tmp_path_factory.mktemp("buildah")
    made = Buildah(storage)
    container = made("from", "scratch")
    mounted = Path(made("mount", container))
    subprocess.run(["cp", "-a", f"{debian_root()}/.", str(mounted)], check=True)
    shutil.copyfile(BUNDLE, mounted / BUNDLE.relative_to("/"))
    made("umount", container)
    made("commit", "--quiet", container, BASE)
    made("rm", container)
    yield made
    shutil.rmtree(storage, ignore_errors=True)


@pytest.fixture(scope="module")
def container(buildah: Buildah) -> str:
    """A container of the image, built by the very lines that docker/Dockerfile gives for Docker."""
    buildah("bud", "--quiet", "--build-arg", f"BASE={BASE}", "-f", "docker/Dockerfile", "-t", "ventana", ".")
    return buildah("from", "--pull-never", "localhost/ventana")


def test_the_images_command_answers(buildah: Buildah, container: str, tmp_path: Path) -> None:
    port = free_port()
    image = buildah("inspect", "--format", "{{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}}", container)
    assert image == "[/opt/ventana/ventana] [serve]"
    log = tmp_path / "log"
    server = buildah.start(
        container, "/opt/ventana/ventana", "serve", "--port", str(port), log=log, VENTANA_HOST="127.0.0.1"
    )
    try:
        assert until_ready(port, server, log) == "ready\n"
    finally:
        server.terminate()
        server.wait(60)


def until_ready(port: int, server: subprocess.Popen[bytes], log: Path) -> str:
    """What /readyz says once it answers."""
    ends = time.monotonic() + 90
    while time.monotonic() < ends and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"it does not answer: {log.read_text(errors='replace')[-2000:]}")


def test_it_is_nobody_who_may_change_the_program(buildah: Buildah, container: str) -> None:
    assert buildah("run", container, "--", "id", "-u") == "10001"
    trial = "touch /opt/ventana/web/x 2>/dev/null || echo refused; touch /var/lib/ventana/x && echo kept"
    assert buildah("run", container, "--", "sh", "-c", trial).split() == ["refused", "kept"]


def test_it_can_back_up_postgresql(buildah: Buildah, container: str) -> None:
    assert "pg_dump (PostgreSQL)" in buildah("run", container, "--", "pg_dump", "--version")
