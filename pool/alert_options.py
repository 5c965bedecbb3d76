"""The options of `[alerts]`; see pool.config."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

_MAILBOX = r"^[^\s@<>,;:\"()\\\[\]]{1,64}@[A-Za-z0-9.-]{1,255}$"


class AlertOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Messages that the web role sends by itself; of several web roles one should have them."""

    severity: Annotated[
        Literal["info", "warn", "page"], Meta(description="What is less than this is not told: info, warn, page.")
    ] = "warn"
    interval_seconds: Annotated[
        float, Meta(ge=10, le=86_400, description="At most one message on each way in so long; it has all the news.")
    ] = 300.0
    baseline_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=3_600,
            description="After its start the role looks on for so long before it says anything; what is wrong by then "
            "and was wrong before is not told again.",
        ),
    ] = 120.0
    email_to: Annotated[
        list[Annotated[str, Meta(pattern=_MAILBOX)]], Meta(max_length=20, description="Who gets mail.")
    ] = field(default_factory=list)
    email_from: Annotated[
        str, Meta(pattern=rf"^$|{_MAILBOX}", description="The sender, an address that the server lets you use.")
    ] = ""
    smtp: Annotated[
        str,
        Meta(
            pattern=r"^(([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5})?$",
            description="HOST:PORT of the mail server, such as mail.example.com:587; empty: no mail.",
        ),
    ] = ""
    smtp_security: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(description="TLS after the greeting (mostly port 587), from the start (465), or not (this machine)."),
    ] = "starttls"
    smtp_user: Annotated[str, Meta(description="User at the mail server, if it asks for one.")] = ""
    smtp_password_file: Annotated[
        str, Meta(description="File whose first line is the password, readable by its owner only.")
    ] = ""
    webhook_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/@\s]+(/\S*)?)?$",
            description="Address that gets each message by POST, as JSON; empty: none.",
        ),
    ] = ""
    webhook_secret_file: Annotated[
        str, Meta(description="File whose first line signs it (HMAC-SHA256), readable by its owner only.")
    ] = ""
