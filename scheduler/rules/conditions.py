"""The desk's published support conditions as typed data.

The file `conditions.toml` beside the package is the one source: the page that
shows the conditions and the rules that enforce them read the same object, so
that text and behaviour cannot differ. Reading the file is the caller's part.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final, Literal

from scheduler.rules.lead_time import Counted, LeadTime

Kind = Literal["purchase", "hours", "maintenance", "reseller"]
RedLightPolicy = Literal["release", "hold"]
NoShowPolicy = Literal["consume", "release"]
UnansweredPolicy = Literal["release", "confirm"]

KINDS: Final = ("purchase", "hours", "maintenance", "reseller")
PLATFORMS: Final = ("asterisk", "elastix", "3cx")
METHODS: Final = ("ssh", "rdp", "vnc", "web")
STAGES: Final = ("booked", "h24", "h8", "h2", "m30")
"""When the access is checked: at booking, then 24 h, 8 h, 2 h and 30 min before the start."""


class ConditionsError(ValueError):
    """The conditions cannot be used; `key` is the dotted name of the entry to blame."""

    def __init__(self, key: str, problem: str) -> None:
        self.key = key
        self.problem = problem
        super().__init__(f"conditions: {key}: {problem}")


@dataclass(frozen=True, slots=True)
class Topic:
    """Something a customer may ask about: a stable code and how the desk calls it in both languages."""

    code: str
    es: str
    en: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Whose bookings wait for the desk's approval, and what follows when nobody decides in time."""

    needed_for: tuple[str, ...] = ()
    """Kinds of entitlement; none by default."""
    unanswered: UnansweredPolicy = "release"
    minutes_before: int = 120
    """How long before the start it must be decided."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How slots that come free are offered to those who wait for one, in the order in which they joined."""

    answer_minutes: int = 30
    counted: Counted = "attention"
    entries_per_customer: int = 3
    longest_days: int = 31
    unanswered_offers: int = 3

    @property
    def answer(self) -> LeadTime:
        """How long a slot is kept for the one who is asked."""
        return LeadTime(self.answer_minutes, self.counted)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the desk promises and asks for; see the comments of `conditions.toml` for each entry."""

    lead: Mapping[str, LeadTime]
    methods: Mapping[str, tuple[str, ...]]
    tools_not_accepted: tuple[str, ...]
    topics_included: tuple[Topic, ...]
    topics_excluded: tuple[Topic, ...]
    red_light: Mapping[str, RedLightPolicy]
    no_show: Mapping[str, NoShowPolicy]
    purchase_days: int = 30
    reseller_minimum_cents: int = 600_000
    durations_minutes: tuple[int, ...] = (30, 60, 90, 120)
    grid_minutes: int = 30
    hold_minutes: int = 5
    horizon_days: int = 60
    check_stages: tuple[str, ...] = STAGES
    release_minutes_before: int = 120
    cancel_free_until_minutes: int = 120
    low_balance_minutes: int = 120
    no_show_grace_minutes: int = 15
    waiting: Waiting = Waiting()
    approval: Approval = Approval()


_LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "purchase_days": (1, 3650),
    "reseller_minimum_cents": (0, 10**12),
    "grid_minutes": (15, 30),
    "hold_minutes": (1, 60),
    "horizon_days": (1, 365),
    "release_minutes_before": (0, 1440),
    "cancel_free_until_minutes": (0, 10_080),
    "low_balance_minutes": (0, 60_000),
    "no_show_grace_minutes": (0, 120),
}
_WAITING_LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "answer_minutes": (5, 1440),
    "entries_per_customer": (1, 100),
    "longest_days": (1, 365),
    "unanswered_offers": (1, 100),
}
_LONGEST_MINUTES: Final = 1440
"""A booking lasts at most a day: the store's guard against overlaps looks back no further."""
_LONGEST_LEAD_MINUTES: Final = 14_400
_SHORTEST_TOOL: Final = 4


def parse_conditions(raw: Mapping[str, Any]) -> Conditions:
    """Check the mapping that a TOML reader gives and make it typed.

    Plain numbers, durations and stages may be left out and then keep their
    defaults. Raises ConditionsError naming the key: unknown, missing, of the
    wrong type, out of range or contradicting another.
    """
    _refuse_unknown("", raw, [field.name for field in fields(Conditions)])
    read: dict[str, Any] = {
        "lead": MappingProxyType(
            {kind: _lead(f"lead.{kind}", value) for kind, value in _per_kind("lead", raw)}
        ),
        "methods": _methods(_table("methods", raw)),
        "tools_not_accepted": _tools("tools_not_accepted", raw),
        "topics_included": _topics("topics_included", raw),
        "topics_excluded": _topics("topics_excluded", raw),
        "red_light": MappingProxyType(
            {kind: _policy(f"red_light.{kind}", value) for kind, value in _per_kind("red_light", raw)}
        ),
        "no_show": MappingProxyType(
            {kind: _no_show(f"no_show.{kind}", value) for kind, value in _per_kind("no_show", raw)}
        ),
    }
    read |= {key: _whole(key, raw[key], *limits) for key, limits in _LIMITS.items() if key in raw}
    if "durations_minutes" in raw:
        read["durations_minutes"] = _durations("durations_minutes", raw["durations_minutes"])
    if "waiting" in raw:
        read["waiting"] = _waiting(_table("waiting", raw))
    if "approval" in raw:
        read["approval"] = _approval(_table("approval", raw))
    if "check_stages" in raw:
        read["check_stages"] = _words("check_stages", raw["check_stages"], among=STAGES)
    return _consistent(Conditions(**read))


def _consistent(conditions: Conditions) -> Conditions:
    """Refuse values that are right one by one and wrong together."""
    if conditions.grid_minutes not in (15, 30):
        raise ConditionsError("grid_minutes", "must be 15 or 30")
    for kind in conditions.approval.needed_for:
        if conditions.approval.minutes_before > conditions.lead[kind].minutes:
            raise ConditionsError("approval.minutes_before", f"is more than the notice of lead.{kind}")
    both = {t.code for t in conditions.topics_included} & {t.code for t in conditions.topics_excluded}
    if both:
        raise ConditionsError("topics_excluded", f"also included: {', '.join(sorted(both))}")
    return conditions


def _required(key: str, raw: Mapping[str, Any]) -> Any:
    name = key.rsplit(".", 1)[-1]
    if name not in raw:
        raise ConditionsError(key, "is missing")
    return raw[name]


def _refuse_unknown(prefix: str, raw: Mapping[str, Any], known: Collection[str]) -> None:
    """A misspelt key would silently leave a default in force."""
    for key in raw:
        if key not in known:
            raise ConditionsError(f"{prefix}{key}", f"is not known here (known: {', '.join(known)})")


def _as_table(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConditionsError(key, "must be a table")
    return value


def _table(key: str, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    return _as_table(key, _required(key, raw))


def _per_kind(key: str, raw: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """One entry for every kind of entitlement: a forgotten kind would have no rule at all."""
    table = _table(key, raw)
    _refuse_unknown(f"{key}.", table, KINDS)
    return [(kind, _required(f"{key}.{kind}", table)) for kind in KINDS]


def _whole(key: str, value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConditionsError(key, "must be a whole number")
    if not least <= value <= most:
        raise ConditionsError(key, f"must be between {least} and {most}")
    return value


def _lead(key: str, value: Any) -> LeadTime:
    table = _as_table(key, value)
    _refuse_unknown(f"{key}.", table, ("minutes", "counted"))
    minutes = _whole(f"{key}.minutes", _required(f"{key}.minutes", table), 0, _LONGEST_LEAD_MINUTES)
    return LeadTime(minutes, _counted(key, table))


def _counted(key: str, table: Mapping[str, Any]) -> Counted:
    counted = table.get("counted", "attention")
    if counted not in ("attention", "elapsed"):
        raise ConditionsError(f"{key}.counted", 'must be "attention" or "elapsed"')
    read: Counted = counted
    return read


def _waiting(table: Mapping[str, Any]) -> Waiting:
    """The waiting list's numbers; what is left out keeps its default."""
    _refuse_unknown("waiting.", table, [field.name for field in fields(Waiting)])
    numbers = {
        name: _whole(f"waiting.{name}", table[name], *limits)
        for name, limits in _WAITING_LIMITS.items()
        if name in table
    }
    return Waiting(counted=_counted("waiting", table), **numbers)


def _approval(table: Mapping[str, Any]) -> Approval:
    """Who waits for the desk; what is left out keeps its default."""
    _refuse_unknown("approval.", table, [field.name for field in fields(Approval)])
    needed = table.get("needed_for", [])
    if needed != []:
        needed = _words("approval.needed_for", needed, among=KINDS)
    unanswered = table.get("unanswered", "release")
    if unanswered not in ("release", "confirm"):
        raise ConditionsError("approval.unanswered", 'must be "release" or "confirm"')
    policy: UnansweredPolicy = unanswered
    minutes = table.get("minutes_before", Approval().minutes_before)
    return Approval(tuple(needed), policy, _whole("approval.minutes_before", minutes, 0, 10_080))


def _methods(table: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    _refuse_unknown("methods.", table, PLATFORMS)
    keys = [(platform, f"methods.{platform}") for platform in PLATFORMS]
    return MappingProxyType({name: _words(key, _required(key, table), among=METHODS) for name, key in keys})


def _words(key: str, value: Any, among: Collection[str] | None = None) -> tuple[str, ...]:
    """A list of distinct, non-empty words, each one of a closed set if there is one."""
    if not isinstance(value, list | tuple) or not all(
        isinstance(word, str) and word.strip() for word in value
    ):
        raise ConditionsError(key, "must be a list of words")
    if len(set(value)) != len(value):
        raise ConditionsError(key, "names something twice")
    if among is not None and not (value and set(value) <= set(among)):
        raise ConditionsError(key, f"must name some of: {', '.join(among)}")
    return tuple(value)


def _tools(key: str, raw: Mapping[str, Any]) -> tuple[str, ...]:
    tools = _words(key, _required(key, raw))
    for tool in tools:
        if sum(character.isalnum() for character in tool) < _SHORTEST_TOOL:
            raise ConditionsError(key, f"{tool}: too short to be recognised without accusing ordinary words")
    return tools


def _topics(key: str, raw: Mapping[str, Any]) -> tuple[Topic, ...]:
    entries = _required(key, raw)
    if not isinstance(entries, list | tuple):
        raise ConditionsError(key, "must be a list of topics")
    topics = tuple(_topic(f"{key}.{place}", entry) for place, entry in enumerate(entries, 1))
    if len({topic.code for topic in topics}) != len(topics):
        raise ConditionsError(key, "names something twice")
    return topics


def _topic(key: str, entry: Any) -> Topic:
    table = _as_table(key, entry)
    _refuse_unknown(f"{key}.", table, ("code", "es", "en"))
    texts = {name: _required(f"{key}.{name}", table) for name in ("code", "es", "en")}
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise ConditionsError(f"{key}.{name}", "must be text")
    return Topic(**texts)


def _policy(key: str, value: Any) -> RedLightPolicy:
    if value not in ("release", "hold"):
        raise ConditionsError(key, 'must be "release" or "hold"')
    policy: RedLightPolicy = value
    return policy


def _no_show(key: str, value: Any) -> NoShowPolicy:
    if value not in ("consume", "release"):
        raise ConditionsError(key, 'must be "consume" or "release"')
    policy: NoShowPolicy = value
    return policy


def _durations(key: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise ConditionsError(key, "must be a list of minutes")
    minutes = [_whole(key, entry, 5, _LONGEST_MINUTES) for entry in value]
    if minutes != sorted(set(minutes)):
        raise ConditionsError(key, "must grow from entry to entry")
    return tuple(minutes)
