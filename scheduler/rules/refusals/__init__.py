"""Business refusals: why something may not be done, as types with facts and a stable code.

The whole tree, with the code that the outside sees::

    Refusal
    ├── InvalidInput           invalid_input            a field cannot be read; `problem` says why
    ├── TimeRefused                                     the moment cannot be had
    │   ├── LeadTimeTooShort   lead_time_too_short      earlier than the lead time allows
    │   ├── SlotTaken          slot_taken               somebody else was faster
    │   ├── OutsideHours       outside_hours            the desk does not attend then
    │   ├── TechnicianBusy     technician_busy          the technician's own calendar says busy
    │   ├── OffGrid            off_grid                 not on the desk's start times
    │   ├── InThePast          in_the_past
    │   ├── RangeHasFreeTimes  range_has_free_times     nothing to wait for
    │   ├── BeyondHorizon      beyond_horizon           further ahead than the desk plans
    │   ├── DurationNotOffered duration_not_offered
    │   ├── NonexistentTime    nonexistent_time         skipped by the clocks in spring
    │   └── AmbiguousTime      ambiguous_time           shown twice by the clocks in autumn
    ├── RightRefused                                    the customer has no right to it
    │   ├── NotEntitled        not_entitled
    │   ├── HoursExhausted     hours_exhausted
    │   ├── TopicExcluded      topic_excluded
    │   └── TopicRequired      topic_required
    ├── AccessRefused                                   not by this door
    │   ├── MethodNotAccepted  method_not_accepted
    │   ├── ToolNotAccepted    tool_not_accepted
    │   └── HostKeyNotConfirmed host_key_not_confirmed
    ├── StateRefused                                    the thing has moved on
    │   ├── TransitionNotAllowed transition_not_allowed
    │   ├── StaleRevision      stale_revision
    │   ├── HoldExpired        hold_expired
    │   ├── IdempotencyConflict idempotency_conflict
    │   ├── ChangedMeanwhile   changed_meanwhile
    │   ├── TechnicianHasBookings technician_has_bookings
    │   ├── LastDispatcher     last_dispatcher
    │   ├── UndoExpired        undo_expired             a closing is final by now
    │   ├── OfferClosed        offer_closed             an offered slot was answered, or went to the next
    │   └── TooEarly           too_early                not yet time to say so
    └── PersonRefused                                   not for this person
        ├── NotFound           not_found
        ├── NotAllowed         not_allowed
        ├── SignInFailed       sign_in_failed
        ├── TooManyTries       too_many_tries
        ├── UnknownFeed        unknown_feed
        └── RevokedFeed        revoked_feed

What people read is made elsewhere from the code and the facts, in their
language; nothing here is shown as it stands. Facts never hold what was typed,
so that a refusal can be logged.
"""

from scheduler.rules.refusals.base import (
    InvalidInput,
    Refusal,
)
from scheduler.rules.refusals.doors import (
    AccessRefused,
    HostKeyNotConfirmed,
    MethodNotAccepted,
    ToolNotAccepted,
)
from scheduler.rules.refusals.moments import (
    AmbiguousTime,
    BeyondHorizon,
    DayMinutes,
    DurationNotOffered,
    InThePast,
    LeadTimeTooShort,
    Ledger,
    NonexistentTime,
    OffGrid,
    OutsideHours,
    RangeHasFreeTimes,
    SlotTaken,
    TechnicianBusy,
    TimeRefused,
)
from scheduler.rules.refusals.persons import (
    NotAllowed,
    NotFound,
    PersonRefused,
    RevokedFeed,
    SignInFailed,
    TooManyTries,
    UnknownFeed,
)
from scheduler.rules.refusals.rights import (
    HoursExhausted,
    NotEntitled,
    ReasonLike,
    RightRefused,
    TopicExcluded,
    TopicRequired,
)
from scheduler.rules.refusals.states import (
    ChangedMeanwhile,
    HoldExpired,
    IdempotencyConflict,
    LastDispatcher,
    OfferClosed,
    StaleRevision,
    StateRefused,
    TechnicianHasBookings,
    TooEarly,
    TransitionNotAllowed,
    UndoExpired,
)

__all__ = [
    "AccessRefused",
    "AmbiguousTime",
    "BeyondHorizon",
    "ChangedMeanwhile",
    "DayMinutes",
    "DurationNotOffered",
    "HoldExpired",
    "HostKeyNotConfirmed",
    "HoursExhausted",
    "IdempotencyConflict",
    "InThePast",
    "InvalidInput",
    "LastDispatcher",
    "LeadTimeTooShort",
    "Ledger",
    "MethodNotAccepted",
    "NonexistentTime",
    "NotAllowed",
    "NotEntitled",
    "NotFound",
    "OffGrid",
    "OfferClosed",
    "OutsideHours",
    "PersonRefused",
    "RangeHasFreeTimes",
    "ReasonLike",
    "Refusal",
    "RevokedFeed",
    "RightRefused",
    "SignInFailed",
    "SlotTaken",
    "StaleRevision",
    "StateRefused",
    "TechnicianBusy",
    "TechnicianHasBookings",
    "TimeRefused",
    "TooEarly",
    "TooManyTries",
    "ToolNotAccepted",
    "TopicExcluded",
    "TopicRequired",
    "TransitionNotAllowed",
    "UndoExpired",
    "UnknownFeed",
]
