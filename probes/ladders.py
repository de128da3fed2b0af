"""The rungs of each ladder, as data, so that a page can show them before anything has been climbed."""

from __future__ import annotations

from functools import cache

from probes.target import Depth

# method → rung, and the depth from which it belongs to the ladder.
RUNGS: dict[str, tuple[tuple[str, Depth], ...]] = {
    "ssh": (
        ("name", Depth.REACH),
        ("port", Depth.REACH),
        ("service", Depth.IDENTIFY),
        ("kex", Depth.IDENTIFY),
        ("host_key", Depth.IDENTIFY),
        ("login", Depth.LOGIN),
        ("command", Depth.FUNCTION),
        ("asterisk", Depth.FUNCTION),
    ),
    "rdp": (
        ("name", Depth.REACH),
        ("port", Depth.REACH),
        ("x224", Depth.IDENTIFY),
        ("tls", Depth.IDENTIFY),
        ("login", Depth.LOGIN),
        ("picture", Depth.PICTURE),
    ),
    # No rung between the name and the login: VNC servers lock out whoever connects without logging in.
    "vnc": (
        ("name", Depth.REACH),
        ("port", Depth.LOGIN),
        ("rfb", Depth.LOGIN),
        ("security", Depth.LOGIN),
        ("login", Depth.LOGIN),
        ("framebuffer", Depth.FUNCTION),
        ("picture", Depth.PICTURE),
    ),
    "web": (
        ("name", Depth.REACH),
        ("port", Depth.REACH),
        ("tls", Depth.IDENTIFY),
        ("http", Depth.IDENTIFY),
        ("panel", Depth.IDENTIFY),
        ("login", Depth.LOGIN),
        ("services", Depth.FUNCTION),
    ),
}
ASTERISK_PLATFORMS = ("asterisk", "elastix")
# (method, rung) → the platforms on which it can be climbed; elsewhere the ladder does without it.
ONLY_ON = {
    ("ssh", "asterisk"): ASTERISK_PLATFORMS,
    ("web", "login"): ("3cx",),
    ("web", "services"): ("3cx",),
}


@cache
def steps_for(method: str, depth: Depth, platform: str | None = None) -> tuple[str, ...]:
    """Names of the steps a probe will report, in order; raises KeyError for an unknown method."""
    rungs = tuple(name for name, needed in RUNGS[method] if needed <= depth)
    return tuple(name for name in rungs if platform in ONLY_ON.get((method, name), (platform,)))
