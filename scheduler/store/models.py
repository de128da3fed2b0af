"""All tables in one place to import from."""

from scheduler.store.answers import InvitationAnswer, ReplyInbox
from scheduler.store.attempts import LoginAttempt
from scheduler.store.base import Base
from scheduler.store.bookings import (
    LIVE_STATUSES,
    Booking,
    CalendarObject,
    CloseOut,
    Entitlement,
    IdempotencyKey,
    LedgerEntry,
    LedgerNote,
    Rma,
)
from scheduler.store.busy import BusyCalendar, BusyTime
from scheduler.store.decisions import BookingDecision
from scheduler.store.devices import AppPassword, CalendarTombstone
from scheduler.store.intake import (
    ClaimDecision,
    CustomerImport,
    FormerCustomer,
    ImportFile,
    ImportPortion,
)
from scheduler.store.mail_requests import MailRequest
from scheduler.store.password_links import PasswordLink
from scheduler.store.people import (
    Absence,
    ApiToken,
    Contact,
    Customer,
    CustomerKey,
    Desk,
    PurchaseClaim,
    RateEvent,
    SignInCode,
    Technician,
    WebSession,
)
from scheduler.store.pictures import Picture
from scheduler.store.systems import AccessPoint, PinnedIdentity, System
from scheduler.store.waiting import SlotOffer, WaitingEntry
from scheduler.store.webhooks import Webhook, WebhookDelivery
from scheduler.store.work import AuditEntry, Check, CheckStep, FeedSecret, Notice, Worker

__all__ = [
    "LIVE_STATUSES",
    "Absence",
    "AccessPoint",
    "ApiToken",
    "AppPassword",
    "AuditEntry",
    "Base",
    "Booking",
    "BookingDecision",
    "BusyCalendar",
    "BusyTime",
    "CalendarObject",
    "CalendarTombstone",
    "Check",
    "CheckStep",
    "ClaimDecision",
    "CloseOut",
    "Contact",
    "Customer",
    "CustomerImport",
    "CustomerKey",
    "Desk",
    "Entitlement",
    "FeedSecret",
    "FormerCustomer",
    "IdempotencyKey",
    "ImportFile",
    "ImportPortion",
    "InvitationAnswer",
    "LedgerEntry",
    "LedgerNote",
    "LoginAttempt",
    "MailRequest",
    "Notice",
    "PasswordLink",
    "Picture",
    "PinnedIdentity",
    "PurchaseClaim",
    "RateEvent",
    "ReplyInbox",
    "Rma",
    "SignInCode",
    "SlotOffer",
    "System",
    "Technician",
    "WaitingEntry",
    "WebSession",
    "Webhook",
    "WebhookDelivery",
    "Worker",
]
