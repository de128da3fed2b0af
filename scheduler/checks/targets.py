"""From a stored access point to a target that a probe can try; the only place where its credential is opened."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from probes.addresses import AddressAllowance
from probes.report import Outcome, Step, finding
from probes.target import METHODS, Credential, CredentialKind, Depth, Target, TargetError
from scheduler.context import DeskContext
from scheduler.rules.secret import Secret
from scheduler.rules.verdict import PICTURE_STAGES
from scheduler.store.models import AccessPoint, Check, CustomerKey
from scheduler.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Doors:
    """How doors are opened here: the vault, and which non-public addresses the operator allows."""

    vault: Vault
    vpn_networks: tuple[str, ...] = ()
    loopback_ports: tuple[str, ...] = ()

    @property
    def allow(self) -> AddressAllowance:
        """The operator's exceptions from "public addresses only"."""
        return allowance(self.vpn_networks, self.loopback_ports)

    def target_of(self, session: Session, desk: DeskContext, point: AccessPoint) -> Target | Step:
        """The target of an access point, or the step that says why it cannot be tried."""
        if point.method not in METHODS:
            # Accepted by the conditions, not yet by a probe: nothing is known, which is never green and never red.
            return Step("login", Outcome.SKIPPED, None, {"reason": "method"})
        try:
            return Target(
                method=point.method,
                host=point.host,
                port=point.port,
                username=point.username,
                credential=self._credential(session, point),
                pins=frozenset(pin.public_key for pin in point.pins if pin.state == "confirmed"),
                platform=point.system.platform,
                profile=point.profile,
                allow=self.allow,
                source_address=desk.source_address,
            )
        except TargetError as error:
            return finding("login", "credential_unusable", {"problem": error.problem})

    def _credential(self, session: Session, point: AccessPoint) -> Credential:
        secret = self.secret_of(session, point)
        kind = CredentialKind(point.credential_kind)
        return Credential(kind, secret.reveal() if secret else None)

    def secret_of(self, session: Session, point: AccessPoint) -> Secret | None:
        """The opened credential of a door: our private key for this customer, or what the customer entrusted."""
        if point.credential_kind == "our_key":
            key = session.get(CustomerKey, point.system.customer_id)
            if key is None:
                return None
            return self.vault.open(key.private_key, "customer_key", key.customer_id, "private_key", 1)
        if point.credential is None:
            return None
        return self.vault.open(point.credential, "access_point", point.id, "credential", point.credential_gen)


def depth_of(check: Check) -> Depth:
    """How far the check climbs: to a picture of the screen only shortly before a session, and where it was agreed."""
    pictured = check.stage in PICTURE_STAGES and check.access_point.pictures_agreed_at is not None
    return Depth.PICTURE if pictured else Depth.FUNCTION


def allowance(vpn_networks: Sequence[str], loopback_ports: Sequence[str]) -> AddressAllowance:
    """The operator's exceptions as the settings write them: CIDR networks, and address:port pairs on loopback."""
    pairs = [pair.rpartition(":") for pair in loopback_ports]
    return AddressAllowance.parse(vpn_networks, [(host.strip("[]"), int(port)) for host, _, port in pairs])
