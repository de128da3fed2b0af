"""What this installation is told from outside: environment variables VENTANA_*, read once into one typed object."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class SettingsInvalid(Exception):
    """A setting cannot be used; the message names each variable and what is wrong with it."""


class Settings(BaseSettings):
    """Every setting has a default that works on one machine; secrets are never printed."""

    model_config = SettingsConfigDict(env_prefix="VENTANA_", frozen=True, extra="ignore")

    folder: Path = Path("var")
    """Where the embedded database, the vault key and the application secret live (created with mode 0700)."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite in `folder`. PostgreSQL: postgresql+psycopg://…"""
    base_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8480/")
    """The address people open; links in mails and calendars start with it."""
    host: str = "127.0.0.1"
    port: int = Field(default=8480, ge=1, le=65535)
    threads: int = Field(default=16, ge=4, le=256)
    """Web threads; at most half of them hold live check streams."""
    processes: int = Field(default=1, ge=1, le=32)
    """Web processes on PostgreSQL, of `threads` each; about one for each core. SQLite has one whatever is set."""
    trusted_proxies: int = Field(default=0, ge=0, le=4)
    """How many reverse proxies in front set X-Forwarded-For; 0: the header is ignored."""
    conditions_file: Path | None = None
    """Replaces the shipped conditions.toml."""
    vault_key_file: Path | None = None
    secret_file: Path | None = None
    smtp_host: str = ""
    """Empty: mails stay in the outbox and are not sent."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    mail_from: str = ""
    """Sender of all mails; empty: the desk's address."""
    imap_host: str = ""
    """Server of the mailbox in which answers to invitations are read; empty: nobody is asked for an answer."""
    imap_port: int = Field(default=993, ge=1, le=65535)
    imap_security: Literal["none", "starttls", "tls"] = "tls"
    imap_user: str = Field(default="", validate_default=True)
    imap_password: SecretStr = Field(default=SecretStr(""), validate_default=True)
    imap_folder: str = "INBOX"
    imap_address: str = ""
    """Mail address of that mailbox; empty: `imap_user` where that is one, else the sender of mails."""
    vpn_networks: Annotated[tuple[str, ...], NoDecode] = ()
    """Private networks that probes may enter (comma separated CIDR), for customers reached by VPN."""
    loopback_ports: Annotated[tuple[str, ...], NoDecode] = ()
    """Exact address:port pairs on loopback that probes may enter; only for the demo and labs."""
    logins_per_target: int = Field(default=20, ge=1, le=1000)
    """Logins tried at one address and port within 15 minutes, over all customers."""
    refusals_per_target: int = Field(default=4, ge=1, le=1000)
    """Of these, refused ones that could lock an account; then the next is put off."""
    probe_token: SecretStr = SecretStr("")
    """Bearer token of `/probe`; empty: there is no such page."""
    metrics_token: SecretStr = SecretStr("")
    """Bearer token of `/metrics`; empty: there is no such page."""
    probe_modules_file: Path | None = None
    """Replaces the shipped probe_modules.toml."""
    mail_page: bool = False
    """Show sent mails at /mail: the demo's mailbox. Never on a real desk: anyone could read sign-in codes."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("probe_token", "metrics_token")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value()
        if token and not (len(token) >= 16 and token.isascii() and token.isprintable() and " " not in token):
            raise ValueError("at least 16 ASCII characters without spaces")
        return value

    @field_validator("imap_user", "imap_password")
    @classmethod
    def _needed_for_the_mailbox(cls, value: str | SecretStr, asked: ValidationInfo) -> str | SecretStr:
        said = value.get_secret_value() if isinstance(value, SecretStr) else value
        if asked.data.get("imap_host") and not said:
            raise ValueError("needed where VENTANA_IMAP_HOST is set")
        if any(ord(letter) < 32 for letter in said):
            raise ValueError("a control character in it")
        return value

    @field_validator("imap_folder")
    @classmethod
    def _folder(cls, value: str) -> str:
        if not (value and value.isascii() and value.isprintable()):
            raise ValueError("the folder's name as the server writes it, in ASCII (modified UTF-7)")
        return value

    @field_validator("imap_address")
    @classmethod
    def _address(cls, value: str) -> str:
        user, _, domain = value.rpartition("@")
        if value and (not user or "." not in domain or any(letter.isspace() for letter in value)):
            raise ValueError(f"{value} is not a mail address")
        return value

    @field_validator("vpn_networks", "loopback_ports", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("vpn_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @field_validator("loopback_ports")
    @classmethod
    def _pairs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pair in value:
            host, _, port = pair.rpartition(":")
            if not ipaddress.ip_address(host.strip("[]")).is_loopback or not port.isdigit():
                raise ValueError(f"{pair} is not a loopback address and port such as 127.0.0.1:2222")
        return value

    @property
    def store_url(self) -> str:
        """The database in use."""
        return self.database_url or f"sqlite:///{self.folder.absolute() / 'ventana.db'}"

    @property
    def organizer(self) -> str:
        """Address that invitations come from, to which calendar programs send answers; empty: the desk's."""
        if not self.imap_host:
            return self.mail_from
        return self.imap_address or (self.imap_user if "@" in self.imap_user else self.mail_from)

    @property
    def link_base(self) -> str:
        """`base_url` without a trailing slash."""
        return str(self.base_url).rstrip("/")

    @property
    def https(self) -> bool:
        """Whether people reach us by HTTPS; decides cookie prefixes and HSTS."""
        return self.base_url.scheme == "https"


def read_settings(**overrides: object) -> Settings:
    """Read the environment; keyword arguments win over it. Raises SettingsInvalid naming each wrong variable."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # values are validated by pydantic
    except ValidationError as error:
        problems = [f"VENTANA_{'_'.join(map(str, e['loc'][:1])).upper()}: {e['msg']}" for e in error.errors()]
        raise SettingsInvalid("; ".join(problems)) from None
