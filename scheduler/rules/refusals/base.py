"""What every refusal is: a stable code, the facts, and the field to blame."""

from typing import Any, ClassVar


class Refusal(Exception):
    """A business rule says no.

    `code` is stable and part of the API; `facts` holds JSON values, dates and
    aware UTC datetimes; `field` names the input to blame, if one is.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, *, field: str | None = None, **facts: Any) -> None:
        self.field = field
        self.facts: dict[str, Any] = facts
        super().__init__(self.code)

    def __str__(self) -> str:
        shown = ({"field": self.field} if self.field else {}) | self.facts
        return f"{self.code}({', '.join(f'{name}={value}' for name, value in shown.items())})"


class InvalidInput(Refusal):
    """A field holds something that cannot be taken.

    `problem` is one of a stable set: required, too_long, control_characters,
    not_text, not_a_cif, out_of_range, not_a_host, not_an_email, not_a_date,
    not_a_number, not_offered, passphrase, not_a_key …
    """

    code = "invalid_input"

    def __init__(self, field: str, problem: str, **facts: Any) -> None:
        self.problem = problem
        super().__init__(field=field, problem=problem, **facts)
