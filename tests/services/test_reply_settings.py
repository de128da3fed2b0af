"""The mailbox for answers in the settings: what it makes invitations ask, and what is refused."""

from pathlib import Path

import pytest

from scheduler.bootstrap import build
from scheduler.settings import Settings, SettingsInvalid, read_settings

MAILBOX = {"imap_host": "imap.example", "imap_user": "respuestas@levantia.example", "imap_password": "x"}


@pytest.mark.parametrize(
    ("changed", "replies", "organizer"),
    [
        ({}, False, "desk@levantia.example"),
        (MAILBOX, True, "respuestas@levantia.example"),
        (MAILBOX | {"imap_user": "respuestas"}, True, "desk@levantia.example"),
        (MAILBOX | {"imap_address": "citas@levantia.example"}, True, "citas@levantia.example"),
    ],
)
def test_invitations_ask_for_answers_where_a_mailbox_is_read(
    tmp_path: Path, changed: dict[str, str], replies: bool, organizer: str
) -> None:
    chosen = Settings(folder=tmp_path, mail_from="desk@levantia.example", **changed)  # type: ignore[arg-type]
    service = build(chosen, make_schema=True)
    try:
        assert (service.installation.replies, service.installation.organizer) == (replies, organizer)
    finally:
        service.close()


@pytest.mark.parametrize(
    ("wrong", "variable"),
    [
        ({"imap_user": ""}, "VENTANA_IMAP_USER"),
        ({"imap_password": ""}, "VENTANA_IMAP_PASSWORD"),
        ({"imap_folder": "Papelera ñ"}, "VENTANA_IMAP_FOLDER"),
        ({"imap_address": "citas"}, "VENTANA_IMAP_ADDRESS"),
        ({"imap_security": "ssl"}, "VENTANA_IMAP_SECURITY"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, str], variable: str) -> None:
    with pytest.raises(SettingsInvalid, match=variable):
        read_settings(**(MAILBOX | wrong))
