"""Customers' credentials and technicians' calendar addresses, sealed so that the database alone opens none of them.

Envelope encryption: each value has a key of its own, which is sealed by the vault's key; both with
AES-256-GCM (NIST SP 800-38D), both bound to the cell they stand in. A sealed value copied to another
row, column or generation therefore does not open. The vault's keys live outside the database.

    sealed = version 1 | key id 8 | nonce 12 | sealed value key 48 | nonce 12 | sealed value
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from scheduler.rules.secret import Secret
from scheduler.store import keyfile
from scheduler.store.busy import BusyCalendar
from scheduler.store.keyfile import KEY_BYTES, VaultError, key_id
from scheduler.store.people import CustomerKey
from scheduler.store.systems import AccessPoint
from scheduler.store.webhooks import Webhook

__all__ = ["SEALED_COLUMNS", "Vault", "VaultError", "openable_values", "reseal_all", "sealed_key_ids"]

_VERSION = b"\x01"
_ID = slice(1, 9)
_NONCE = 12
_TAG = 16
_VALUE_KEY = slice(9, 9 + _NONCE + KEY_BYTES + _TAG)
_VALUE = slice(_VALUE_KEY.stop, None)


class Vault:
    """Seals and opens values with one current key; older keys only open."""

    def __init__(self, keys: Sequence[bytes], source: Path | str = "memory") -> None:
        """`keys` of 32 bytes, the current one first; `source` is where they came from."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise VaultError(f"{source}: a vault needs keys of {KEY_BYTES} bytes")
        self._keys = {key_id(key): key for key in keys}
        self._source = source
        self.current_id = next(iter(self._keys))
        """Names the key that seals; safe to show."""

    def __repr__(self) -> str:
        return f"Vault({', '.join(self._keys)})"

    @classmethod
    def from_file(cls, path: Path, *, create: bool = False) -> "Vault":
        """The keys of a file that only its owner may read (0400).

        `create` makes it with one new key when it is missing. Raises VaultError.
        """
        if create and not path.exists():
            keyfile.create(path)
        return cls(keyfile.read(path), path)

    @classmethod
    def find(cls, path: Path, *, create: bool = False, environ: Mapping[str, str] = os.environ) -> "Vault":
        """The systemd credential `ventana-vault-key`, else VENTANA_VAULT_KEY, else the file. Raises VaultError."""
        if given := keyfile.from_environment(environ):
            name, keys = given
            return cls(keys, name)
        return cls.from_file(path, create=create)

    def seal(self, secret: Secret, table: str, row: int, column: str, generation: int) -> bytes:
        """The secret as bytes for this one cell; two seals of the same secret differ."""
        cell = _cell(table, row, column, generation)
        head = _VERSION + bytes.fromhex(self.current_id)
        value_key = keyfile.new_key()
        wrapped = _encrypt(self._keys[self.current_id], value_key, head + cell)
        return head + wrapped + _encrypt(value_key, secret.reveal().encode(), head + cell)

    def open(self, sealed: bytes, table: str, row: int, column: str, generation: int) -> Secret:
        """The secret that was sealed for this cell.

        Raises VaultError when the key is not ours, or the bytes were changed or moved from another cell.
        """
        cell = _cell(table, row, column, generation)
        where = f"{table} {row}, {column}"
        head, key = sealed[: _ID.stop], self._keys.get(sealed[_ID].hex())
        if head[:1] != _VERSION or len(sealed) < _VALUE_KEY.stop + _NONCE + _TAG:
            raise VaultError(f"{where}: this is not a sealed value")
        if key is None:
            raise VaultError(f"{where}: sealed with the key {sealed[_ID].hex()}, which this vault has not")
        try:
            value_key = _decrypt(key, sealed[_VALUE_KEY], head + cell)
            return Secret(_decrypt(value_key, sealed[_VALUE], head + cell).decode())
        except InvalidTag:
            raise VaultError(f"{where}: the sealed value was changed or belongs elsewhere") from None

    def with_new_key(self) -> "Vault":
        """A vault whose current key is new and which still opens all that this one opens; saved nowhere yet."""
        return Vault([keyfile.new_key(), *self._keys.values()], self._source)

    def save(self) -> None:
        """Write all keys to the file they came from. Raises VaultError when they came from elsewhere."""
        keyfile.replace(self._file(), [*self._keys.values()])

    def retire_old_keys(self) -> None:
        """Keep only the current key, here and in the file; check `sealed_key_ids` before."""
        keyfile.replace(self._file(), [self._keys[self.current_id]])
        self._keys = {self.current_id: self._keys[self.current_id]}

    def _file(self) -> Path:
        if isinstance(self._source, Path):
            return self._source
        raise VaultError(
            f"{self._source}: these keys are kept by the system; put the new key there, first in order"
        )


SealedColumn = tuple[
    InstrumentedAttribute[int],
    InstrumentedAttribute[bytes] | InstrumentedAttribute[bytes | None],
    InstrumentedAttribute[int],
]

SEALED_COLUMNS: tuple[SealedColumn, ...] = (
    (AccessPoint.id, AccessPoint.credential, AccessPoint.credential_gen),
    (CustomerKey.customer_id, CustomerKey.private_key, CustomerKey.private_key_gen),
    (Webhook.id, Webhook.secret, Webhook.secret_gen),
    (BusyCalendar.id, BusyCalendar.address, BusyCalendar.address_gen),
)
"""Row, sealed value and generation of every vault column; one that is missing here is lost by a rotation."""


def reseal_all(session: Session, vault: Vault, new: Vault) -> int:
    """Open every sealed value with `vault` and seal it with `new`, in the caller's transaction; how many.

    Raises VaultError at the first that does not open, so that nothing is half done.
    """
    count = 0
    for row, value, generation in SEALED_COLUMNS:
        table, column = row.class_.__tablename__, value.key
        entity = row.class_
        query = select(entity).where(value.is_not(None)).order_by(row).with_for_update()
        for item in session.scalars(query, execution_options={"populate_existing": True}):
            cell = (table, getattr(item, row.key), column, getattr(item, generation.key))
            setattr(item, column, new.seal(vault.open(getattr(item, column), *cell), *cell))
            count += 1
    session.flush()
    return count


def openable_values(session: Session, vault: Vault) -> int:
    """How many sealed values there are, having opened each. Raises VaultError at the first that does not open."""
    count = 0
    for row, value, generation in SEALED_COLUMNS:
        for number, sealed, gen in session.execute(select(row, value, generation).where(value.is_not(None))):
            vault.open(sealed or b"", row.class_.__tablename__, number, value.key, gen)
            count += 1
    return count


def sealed_key_ids(session: Session) -> set[str]:
    """Ids of the keys that stored values still need."""
    queries = [select(value).where(value.is_not(None)) for _, value, _ in SEALED_COLUMNS]
    return {sealed[_ID].hex() for query in queries for sealed in session.scalars(query) if sealed}


def _cell(table: str, row: int, column: str, generation: int) -> bytes:
    return json.dumps([table, row, column, generation]).encode()


def _encrypt(key: bytes, value: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, value, bound_to)


def _decrypt(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
