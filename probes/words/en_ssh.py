"""English words of the probes by SSH."""

from probes.report import Facts

STEPS = {
    "service": "SSH service",
    "kex": "Key exchange",
    "host_key": "Server key",
    "login": "Sign-in",
    "command": "Command",
    "asterisk": "Asterisk",
}
MISSING = {
    "fingerprint": "(fingerprint not read)",
    "expected": "another fingerprint",
    "offered": "another way",
    "tried": "this credential",
    "banner": "something else",
    "weak": "old algorithms",
    "key_kind": "such",
    "second_opinion": "something else",
}
REMEDIES: dict[str, tuple[str, str, str | None]] = {
    "wrong_service": (
        "Port {port} is not SSH",
        "{service} answers there. Give us the port of the SSH service.",
        "sudo sshd -T | grep ^port",
    ),
    "banner_timeout": (
        "The service accepts, but says nothing",
        "Restart the SSH service: it accepts the connection and then does not answer.",
        "sudo systemctl restart sshd",
    ),
    "ssh_v1_only": (
        "The server only speaks SSH 1",
        "SSH 1 is broken and not accepted. Enable protocol 2 in the configuration of the SSH service.",
        "Protocol 2",
    ),
    "kex_timeout": (
        "Encryption could not be agreed in time",
        "Large packets probably get lost on the way. Have the MTU of the line or tunnel to the system "
        "checked.",
        None,
    ),
    "kex_mismatch": (
        "No common encryption with the server",
        "The server offers nothing that is still safe ({offered}). Update its SSH service.",
        None,
    ),
    "weak_algorithms": (
        "The encryption of this server is old",
        "We get in, but by algorithms that are no longer safe ({weak}). Update the system; until then, allow "
        "SSH from our address only.",
        "{source_address}",
    ),
    "opinions_differ": (
        "Our two clients do not agree",
        "One is stopped at this point and the other gets beyond it, so we do not blame the system. Check again; "
        "if it persists, the fault is ours.",
        None,
    ),
    "key_unsupported": (
        "The server is too old for this key",
        "Its SSH service does not know {key_kind} keys. Give us a password or an RSA key.",
        None,
    ),
    "kex_failed": (
        "The server fails the key exchange",
        "The server's proof of its own key is wrong. Restart the SSH service; if it persists, reinstall it.",
        "sudo systemctl restart sshd",
    ),
    "disconnected_in_kex": (
        "The server hangs up during the key exchange",
        "See the log of the SSH service; often its host keys are missing or unreadable.",
        "sudo ssh-keygen -A",
    ),
    "hostkey_unknown": (
        "Confirm the key of the server",
        "It is the first time that we see this server. Compare the fingerprint with the one on the server "
        "and "
        "confirm it.",
        "{fingerprint}",
    ),
    "hostkey_changed": (
        "The key of the server has changed",
        "Expected {expected}; the server now shows {fingerprint}. Nothing has been sent. Ask the customer "
        "whether "
        "the system was reinstalled, and confirm the new key only then.",
        "{fingerprint}",
    ),
    "password_withheld": (
        "The password has not been sent",
        "A password only travels to a server whose key is confirmed. Confirm the fingerprint and check "
        "again.",
        "{fingerprint}",
    ),
    "auth_failed": (
        "{username} is not let in",
        "Check user and credential. A wrong password, an unknown user and a locked or expired account look "
        "alike "
        "from outside.",
        "sudo passwd -S {username}",
    ),
    "auth_method_not_offered": (
        "The server does not accept this way of signing in",
        "The server accepts: {offered}. We come with: {tried}. Allow it, or give us another credential.",
        None,
    ),
    "auth_too_many_failures": (
        "Too many attempts",
        "The server has had enough failed attempts. Wait some minutes, or raise MaxAuthTries.",
        None,
    ),
    "auth_timeout": (
        "Signing in takes too long",
        "The server does not answer the sign-in. It often waits for a slow name or directory server.",
        "UseDNS no",
    ),
    "disconnected_in_auth": (
        "The server hangs up during sign-in",
        "See the log of the SSH service for {username}: limits (MaxStartups, AllowUsers) or PAM.",
        "sudo journalctl -u ssh -n 50",
    ),
    "credential_unusable": (
        "There is no credential to sign in with",
        "Store a user with our public key, a private key without passphrase or a password.",
        None,
    ),
    "account_nologin": (
        "{username} may not open sessions",
        "Give the account a shell.",
        "sudo usermod -s /bin/bash {username}",
    ),
    "password_expired": (
        "The password of {username} has expired",
        "Set a new password and tell us, or extend the current one.",
        "sudo chage -M 99999 -d $(date +%F) {username}",
    ),
    "session_refused": (
        "Signed in, but no session",
        "The server refuses to open a session for {username}. Check MaxSessions and the options of its key.",
        None,
    ),
    "cmd_not_found": (
        "Asterisk is not on this system",
        "/usr/sbin/asterisk does not exist here. Check that this is the PBX and not another machine.",
        "which asterisk",
    ),
    "cmd_permission_denied": (
        "{username} may not ask Asterisk",
        "Let {username} run it through sudo without a password.",
        "echo '{username} ALL=(root) NOPASSWD: /usr/sbin/asterisk' | sudo tee "
        "/etc/sudoers.d/asterisk-support",
    ),
    "cmd_timeout": (
        "The command does not finish",
        "The system accepts the sign-in, but a command hangs. Look at load and disks of the system.",
        "uptime",
    ),
    "cmd_killed": (
        "The command was killed",
        "The system killed the command, usually for lack of memory.",
        "free -m",
    ),
    "cmd_unexpected_output": (
        "The answer is not the expected one",
        "Instead of running our command the account answers something else. Check for a menu or a forced "
        "command.",
        None,
    ),
    "sudo_password_required": (
        "sudo asks {username} for a password",
        "Let {username} run Asterisk through sudo without a password.",
        "echo '{username} ALL=(root) NOPASSWD: /usr/sbin/asterisk' | sudo tee "
        "/etc/sudoers.d/asterisk-support",
    ),
    "asterisk_down": (
        "Asterisk is not running",
        "We get in, but the PBX is stopped. Start it.",
        "sudo systemctl start asterisk",
    ),
}
VARIANTS: dict[tuple[str, str], tuple[str, str, str | None]] = {
    ("kex_mismatch", "legacy"): (
        "The server only offers old encryption",
        "It only offers old algorithms ({offered}). Choose the profile “legacy” for this access if you accept "
        "the risk, or update its SSH service.",
        None,
    ),
    ("asterisk_down", "sysv"): (
        "Asterisk is not running",
        "We get in, but the PBX is stopped. Start it.",
        "sudo service asterisk start",
    ),
    ("auth_failed", "our_key"): (
        "Install our key for {username}",
        "Run this once on the system, with rights over the account {username}:",
        "echo '{public_line}' >> ~{username}/.ssh/authorized_keys",
    ),
    ("auth_failed", "password"): (
        "The password of {username} is not accepted",
        "Check user and password. From outside, a wrong password and a locked or expired account look alike.",
        "sudo passwd -S {username}",
    ),
    ("auth_failed", "private_key"): (
        "The key you gave us is not accepted",
        "Check that its public half is in authorized_keys of {username}.",
        "ls -ld ~{username}/.ssh/authorized_keys",
    ),
}
FINDINGS = {
    "wrong_service": "{service} answers, not SSH",
    "banner_timeout": "accepts, but says nothing",
    "ssh_v1_only": "speaks only SSH 1",
    "kex_timeout": "not agreed in time",
    "kex_mismatch": "no algorithm in common",
    "weak_algorithms": "old encryption: {weak}",
    "opinions_differ": "our other client gets through",
    "key_unsupported": "does not know {key_kind} keys",
    "kex_failed": "the server's proof is wrong",
    "disconnected_in_kex": "the server hangs up",
    "hostkey_unknown": "first seen: {fingerprint}",
    "hostkey_changed": "changed: now {fingerprint}",
    "password_withheld": "password not sent: server key not confirmed",
    "auth_failed": "{username} is not let in",
    "auth_method_not_offered": "the server only accepts {offered}",
    "auth_too_many_failures": "too many attempts",
    "auth_timeout": "no answer to the sign-in",
    "disconnected_in_auth": "the server hangs up",
    "credential_unusable": "no usable credential",
    "account_nologin": "{username} may not open sessions",
    "password_expired": "the password of {username} has expired",
    "session_refused": "session refused",
    "cmd_not_found": "not found",
    "cmd_permission_denied": "{username} may not ask it",
    "cmd_timeout": "does not finish",
    "cmd_killed": "killed by the system",
    "cmd_unexpected_output": "unexpected answer",
    "sudo_password_required": "sudo asks for a password",
    "asterisk_down": "not running",
}
FINDING_VARIANTS: dict[tuple[str, str], str] = {
    ("kex_mismatch", "legacy"): "only offers old encryption",
    ("auth_failed", "our_key"): "the account {username} refuses our key",
    ("auth_failed", "private_key"): "the account {username} refuses the key",
    ("auth_failed", "password"): "the account {username} refuses the password",
}
EVIDENCE = {
    "service": "{software}",
    "kex": "{kex}, {cipher}",
    "host_key": "confirmed: {fingerprint}",
    "login": "{username} gets in with {tried}",
}


def command_line(facts: Facts) -> str:
    """That it obeys and, where it is known, which system it is."""
    system = facts.get("distribution")
    return f"runs commands: {system}" if system else "runs commands"


def asterisk_line(facts: Facts) -> str:
    """Version, time up and channels, as far as they were told."""
    parts = [f"answers: {facts.get('version', '?')}"]
    if (seconds := facts.get("uptime_s")) is not None:
        parts.append(f"up {_up(seconds)}")
    if (channels := facts.get("channels")) is not None:
        parts.append(f"{channels} channel{'' if channels == 1 else 's'}")
    return ", ".join(parts)


def _up(seconds: int) -> str:
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "0 seconds"


LINES = {"command": command_line, "asterisk": asterisk_line}
