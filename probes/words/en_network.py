"""English words of what every access shares."""

STEPS = {
    "name": "Name",
    "port": "Port",
}
MISSING = {
    "addresses": "literal address",
    "username": "the account",
    "host": "the system",
    "address": "the address",
    "source_address": "our address",
    "port": "of the service",
    "service": "something else",
}
REMEDIES: dict[str, tuple[str, str, str | None]] = {
    "dns_nxdomain": (
        "The name {host} does not exist",
        "Check how the name is written, or give the public IP address instead of the name.",
        None,
    ),
    "dns_failed": (
        "The name {host} cannot be resolved",
        "The name server of the domain answers with an error. Have it checked, or give the public IP "
        "address.",
        None,
    ),
    "dns_timeout": (
        "The name servers of {host} do not answer",
        "Have the name servers of the domain checked, or give the public IP address instead of the name.",
        None,
    ),
    "address_refused": (
        "This address cannot be used",
        "The system must be reachable at a public address. Give the public name or IP address of the system.",
        None,
    ),
    "tcp_refused": (
        "Nothing answers on port {port}",
        "Start the service, or allow port {port} on the firewall for our address {source_address}.",
        "{source_address}",
    ),
    "tcp_timeout": (
        "Port {port} does not answer",
        "Open port {port} on the firewall or router for our address {source_address}.",
        "{source_address}",
    ),
    "tcp_unreachable": (
        "No route to {host}",
        "The address cannot be reached from the Internet. Check the system's connection, and that it is on.",
        None,
    ),
    "tcp_reset": (
        "{host} drops the connection",
        "A firewall or a ban list drops our connection. Allow our address {source_address} on port {port}.",
        "{source_address}",
    ),
    "closed_before_banner": (
        "The service closes before saying anything",
        "Usually a ban list (fail2ban, hosts.deny) holds our address. Take {source_address} off it.",
        "sudo fail2ban-client unban {source_address}",
    ),
    "throttled": (
        "The server limits connections",
        "The server is turning connections away for now. We will try again; if it goes on, allow "
        "{source_address}.",
        "{source_address}",
    ),
    "probe_bug": (
        "The check failed through a fault of ours",
        "It says nothing about your system. We have been told and will check again.",
        None,
    ),
    "turn_timeout": (
        "Another check was still running",
        "One system is checked once at a time. Check again in a minute.",
        None,
    ),
    "login_put_off": (
        "No log-in is tried for now",
        "{host} has been tried often in the last minutes. So that nobody is locked out, the log-in waits "
        "a quarter of an hour; test again then.",
        None,
    ),
    "total_timeout": (
        "The check was cut short",
        "The system answers so slowly that the check could not end. Look at its load and its line.",
        "uptime",
    ),
}
FINDINGS = {
    "dns_nxdomain": "{host} does not exist",
    "dns_failed": "the name server answers with an error",
    "dns_timeout": "the name server does not answer",
    "address_refused": "this address cannot be used",
    "tcp_refused": "closed at {address}",
    "tcp_timeout": "no answer from {address}",
    "tcp_unreachable": "no route to {address}",
    "tcp_reset": "{address} drops the connection",
    "closed_before_banner": "closes without a word",
    "throttled": "the server limits connections",
    "probe_bug": "fault of ours, not judged",
    "turn_timeout": "another check was running, not judged",
    "login_put_off": "log-in put off, so that nobody is locked out",
    "total_timeout": "too slow",
}
VARIANTS: dict[tuple[str, str], tuple[str, str, str | None]] = {
    ("login_put_off", "refusals"): (
        "No log-in is tried for now",
        "{host} has refused several log-ins in the last minutes, and one more could lock the account. "
        "Check user and password, and test again in a quarter of an hour.",
        None,
    ),
    ("login_put_off", "interrupted"): (
        "The log-in was not repeated",
        "The check was interrupted while it logged in. So as not to use a password twice unasked, it did "
        "not log in again. Test again.",
        None,
    ),
}
FINDING_VARIANTS = {
    ("login_put_off", "interrupted"): "interrupted, and not repeated by itself",
}
EVIDENCE = {
    "name": "{addresses}",
    "port": "open at {address}",
}
WAYS = {
    "our_key": "our key",
    "private_key": "key",
    "certificate": "certificate",
    "password": "password",
    "keyboard-interactive": "password (interactive)",
    "none": "no credential",
}
