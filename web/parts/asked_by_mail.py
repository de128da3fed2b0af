"""A customer's question by mail as customer and dispatcher see it, and the file that came with it."""

from typing import Any
from urllib.parse import quote

from flask import Response

from scheduler.context import DeskContext
from scheduler.intake.mail_requests import topic_name
from scheduler.rules.refusals import NotFound
from scheduler.store.models import MailRequest
from web import i18n

MEGABYTE = 1024 * 1024


def request_view(desk: DeskContext, row: MailRequest) -> dict[str, Any]:
    """What templates say of it."""
    return {
        "id": row.id,
        "company": row.customer.company,
        "customer_id": row.customer_id,
        "serial": row.serial,
        "invoice": row.invoice,
        "topic": topic_name(desk, row.topic, i18n.language()),
        "text": row.text,
        "name": row.from_name,
        "address": row.from_address,
        "file_name": row.file_name,
        "file_size": say_size(row.file_bytes),
        "at": i18n.say_short_moment(row.created_at),
        "answered": i18n.say_short_moment(row.answered_at) if row.answered_at else "",
    }


def say_size(size: int) -> str:
    """Bytes as people say them: 3 KB, 1.5 MB."""
    if size < MEGABYTE:
        return f"{max(1, round(size / 1024))} KB"
    number = f"{size / MEGABYTE:.1f}"
    return f"{number.replace('.', ',') if i18n.language() == 'es' else number} MB"


def file_response(row: MailRequest) -> Response:
    """The file to save, never to show: what a customer sends must not run as a page of ours. Raises NotFound."""
    if row.file_name is None or row.file_content is None:
        raise NotFound("file")
    headers = {
        # RFC 6266 §4.3: the name in UTF-8, which every browser of today reads.
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.file_name, safe='')}",
        "Cache-Control": "no-store",
    }
    return Response(row.file_content, mimetype="application/octet-stream", headers=headers)
