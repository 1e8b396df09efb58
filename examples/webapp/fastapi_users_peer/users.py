"""The rules of accounts: fastapi-users, with its hooks."""

import os
import time
import uuid
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from fastapi_users import BaseUserManager, FastAPIUsers, IntegerIDMixin, InvalidPasswordException, schemas
from fastapi_users.authentication import AuthenticationBackend, CookieTransport
from fastapi_users_db_sqlalchemy import SQLAlchemyUserDatabase
from sqlalchemy import delete

from fastapi_users_peer.database import SESSION_SECONDS, AccessToken, User, strategy, user_database

URL = os.environ["PUBLIC_URL"]
MAILS = Path(os.environ["MAILS"])
PASSWORD_CHARACTERS_MIN = 15


class Manager(IntegerIDMixin, BaseUserManager[User, int]):
    reset_password_token_secret = verification_token_secret = os.environ["SECRET"]
    reset_password_token_lifetime_seconds = 3_600
    verification_token_lifetime_seconds = 86_400
    user_db: SQLAlchemyUserDatabase[User, int]

    async def validate_password(self, password: str, user: schemas.BaseUserCreate | User) -> None:
        if len(password) < PASSWORD_CHARACTERS_MIN:
            raise InvalidPasswordException("Password is too short.")

    async def on_after_request_verify(self, user: User, token: str, request: Request | None = None) -> None:
        send(user.email, "Confirm your email", f"{URL}/operators/confirm?code={token}")

    async def on_after_forgot_password(self, user: User, token: str, request: Request | None = None) -> None:
        send(user.email, "Set a new password", f"{URL}/operators/reset?code={token}")

    async def on_after_reset_password(self, user: User, request: Request | None = None) -> None:
        await self.end_sessions(user)

    async def end_sessions(self, user: User) -> None:
        await self.user_db.session.execute(delete(AccessToken).where(AccessToken.user_id == user.id))
        await self.user_db.session.commit()

    async def is_password(self, user: User, password: str) -> bool:
        return self.password_helper.verify_and_update(password, user.hashed_password)[0]


def send(to: str, subject: str, text: str) -> None:
    """Writes a mail to a file. If the program ends before that, the mail is lost."""
    mail = EmailMessage()
    mail["To"], mail["Subject"] = to, subject
    mail.set_content(f"Open this link:\n\n{text}\n")
    MAILS.mkdir(exist_ok=True)
    partial = MAILS / f".{uuid.uuid4()}"
    partial.write_bytes(bytes(mail))
    partial.rename(MAILS / f"{time.time():.6f}-{uuid.uuid4()}.eml")


async def manager(
    users: Annotated[SQLAlchemyUserDatabase[User, int], Depends(user_database)],
) -> AsyncIterator[Manager]:
    yield Manager(users)


cookie = CookieTransport(cookie_name="__Host-session", cookie_max_age=SESSION_SECONDS)
backend = AuthenticationBackend(name="cookie", transport=cookie, get_strategy=strategy)
users = FastAPIUsers[User, int](manager, [backend])
