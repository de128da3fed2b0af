"""English words of the picture of a screen."""

from probes.report import Facts

STEPS = {"picture": "Picture of the screen"}
MISSING = {"missing": "xfreerdp, Xvfb"}
REMEDIES: dict[str, tuple[str, str, str | None]] = {
    "picture_not_available": (
        "Pictures by Remote Desktop cannot be taken here",
        "This machine lacks {missing}. The access itself has been tested; to have pictures too, install what is "
        "missing where Ventana runs.",
        "sudo apt install freerdp2-x11 xvfb",
    ),
    "picture_failed": (
        "There is no picture of the screen",
        "The access itself has been tested, and this changes nothing about it. Look at the screen when the session "
        "begins.",
        None,
    ),
}
VARIANTS: dict[tuple[str, str], tuple[str, str, str | None]] = {}
FINDINGS = {
    "picture_not_available": "not available here: {missing} not installed",
    "picture_failed": "not taken",
}
FINDING_VARIANTS: dict[tuple[str, str], str] = {
    ("picture_failed", "timeout"): "not taken: it did not come in time",
    ("picture_failed", "too_large"): "not taken: a screen of {width} × {height} is too large",
    ("picture_failed", "too_much"): "not taken: the server sends more than a screen has",
    ("picture_failed", "closed"): "not taken: the server hangs up",
    ("picture_failed", "protocol"): "not taken: the server sends something impossible",
    ("picture_failed", "not_connected"): "not taken: the session did not open",
    ("picture_failed", "broken"): "not taken: our own screen did not start",
    ("picture_failed", "busy"): "not taken: too many others were being taken",
    ("picture_failed", "password"): "not taken: this password cannot be handed over",
}
_LOOKS = {"black": ", all black", "uniform": ", all of one colour"}


def _taken(facts: Facts) -> str:
    size = f"{facts.get('width', '?')} × {facts.get('height', '?')}"
    where = ", the screen before signing in" if facts.get("shows") == "before_login" else ""
    return f"taken{where}, {size}{_LOOKS.get(str(facts.get('look')), '')}"


LINES = {"picture": _taken}
