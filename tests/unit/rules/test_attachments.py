"""Names and sizes of files that customers send along."""

import pytest

from scheduler.rules.attachments import LARGEST_BYTES, clean_file, clean_file_name
from scheduler.rules.refusals import InvalidInput


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("sip.conf", "sip.conf"),
        ("C:\\Users\\pablo\\Escritorio\\log de ayer.txt", "log de ayer.txt"),
        ("../../etc/passwd", "passwd"),
        ("/etc/shadow", "shadow"),
        (" .htaccess. ", "htaccess"),
        ("informe: 1|2?.pdf", "informe_ 1_2_.pdf"),
        ("An\u0303o.txt", "Año.txt"),
        ("写真 📷.png", "写真 📷.png"),
        ("x" * 300 + ".txt", "x" * 116 + ".txt"),
        ("y" * 300, "y" * 120),
        ("a." + "z" * 300, "a." + "z" * 118),
    ],
)
def test_the_name_is_the_files_own(typed: str, kept: str) -> None:
    assert clean_file_name("attachment", typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "factura\u202efdp.exe",
        "a\r\nBcc: todos@example.com",
        "a\x00.txt",
        "..",
        "/",
        "📷",
        "\ud800.txt",
        "z" * 5000,
    ],
)
def test_names_that_deceive_or_say_nothing_are_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        clean_file_name("attachment", typed)
    assert (caught.value.field, caught.value.problem) == ("attachment", "file_name")


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "file_without_content"), (bytes(LARGEST_BYTES + 1), "file_over_limit")],
)
def test_content_has_bounds(content: bytes, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        clean_file("attachment", "a.bin", content)
    assert caught.value.problem == problem


def test_the_largest_file_passes() -> None:
    assert clean_file("attachment", "a.bin", bytes(LARGEST_BYTES))[0] == "a.bin"
