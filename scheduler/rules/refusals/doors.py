"""Not by this door."""

from collections.abc import Sequence

from scheduler.rules.refusals.base import Refusal


class AccessRefused(Refusal):
    """The customer's system may not be entered this way."""


class MethodNotAccepted(AccessRefused):
    """The platform is not attended by this access method."""

    code = "method_not_accepted"

    def __init__(self, platform: str, method: str, accepted: Sequence[str]) -> None:
        self.platform = platform
        self.method = method
        self.accepted = tuple(accepted)
        super().__init__(field="method", platform=platform, method=method, accepted=list(accepted))


class ToolNotAccepted(AccessRefused):
    """A commercially licensed remote tool was named; `accepted` are the methods to use instead."""

    code = "tool_not_accepted"

    def __init__(self, tool: str, field: str, accepted: Sequence[str]) -> None:
        self.tool = tool
        self.accepted = tuple(accepted)
        super().__init__(field=field, tool=tool, accepted=list(accepted))


class HostKeyNotConfirmed(AccessRefused):
    """Nobody confirmed the host key, so no credential is sent to that host."""

    code = "host_key_not_confirmed"

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        super().__init__(fingerprint=fingerprint)
