"""The customer has no right to it."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from scheduler.rules.refusals.base import Refusal


class ReasonLike(Protocol):
    """One reason why an entitlement does not allow something."""

    @property
    def code(self) -> str: ...
    @property
    def facts(self) -> Any: ...


class RightRefused(Refusal):
    """The customer's entitlement does not cover it; `field` is `entitlement` unless said otherwise."""

    def __init__(self, *, field: str | None = "entitlement", **facts: Any) -> None:
        super().__init__(field=field, **facts)


class NotEntitled(RightRefused):
    """No right, or not with this entitlement; each reason has its own code and facts."""

    code = "not_entitled"

    def __init__(self, reasons: Iterable[ReasonLike] = ()) -> None:
        self.reasons = tuple(reasons)
        super().__init__(reasons=[{"code": reason.code, **reason.facts} for reason in self.reasons])


class HoursExhausted(RightRefused):
    """The balance does not cover the duration; both in minutes."""

    code = "hours_exhausted"

    def __init__(self, needed_minutes: int, left_minutes: int) -> None:
        self.needed_minutes = needed_minutes
        self.left_minutes = left_minutes
        super().__init__(needed_minutes=needed_minutes, left_minutes=left_minutes)


class TopicExcluded(RightRefused):
    """Free support does not include the topic; `way_on` is the kind of entitlement that does."""

    code = "topic_excluded"

    def __init__(self, topic: str, way_on: str = "hours") -> None:
        self.topic = topic
        super().__init__(field="topic", topic=topic, way_on=way_on)


class TopicRequired(RightRefused):
    """Free support must name one of the included topics."""

    code = "topic_required"

    def __init__(self, included: Sequence[str]) -> None:
        self.included = tuple(included)
        super().__init__(field="topic", included=list(included))
