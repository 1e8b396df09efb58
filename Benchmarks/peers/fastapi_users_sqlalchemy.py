"""FastAPI with fastapi-users and SQLAlchemy, on SQLite; sessions are stored in the database."""

import asyncio
import os
from typing import Annotated
from urllib.parse import urlencode

import fastapi_users
from fastapi import Depends, FastAPI
from fastapi_users import FastAPIUsers, IntegerIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTable, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import SQLAlchemyAccessTokenDatabase, SQLAlchemyBaseAccessTokenTable
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import BaseModel
from sqlalchemy import ForeignKey, Index, UniqueConstraint, event, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import calls


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTable[int], Base):
    id: Mapped[int] = mapped_column(primary_key=True)


class Token(SQLAlchemyBaseAccessTokenTable[int], Base):
    __tablename__ = "token"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))


class Client(Base):
    __tablename__ = "client"
    id: Mapped[int] = mapped_column(primary_key=True)
    operator: Mapped[int] = mapped_column(ForeignKey("user.id"))
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str]
    address: Mapped[str]
    change: Mapped[int]
    __table_args__ = (UniqueConstraint("operator", "email"), Index("by_change", "operator", "change"))


class NewClient(BaseModel):
    first_name: str
    last_name: str
    email: str
    address: str


class ShownClient(NewClient):
    id: int
    change: int


engine = create_async_engine("sqlite+aiosqlite:///" + os.path.join(os.path.abspath(calls.folder()), "fastapi.sqlite"))
make_session = async_sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine.sync_engine, "connect")
def set_policy(connection, _):
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode=wal")
    cursor.execute("pragma synchronous=full")
    cursor.close()


async def database():
    async with make_session() as session:
        yield session


Database = Annotated[AsyncSession, Depends(database)]
helper = PasswordHelper(
    PasswordHash([Argon2Hasher(time_cost=calls.PASSES, memory_cost=calls.MEMORY_KIB, parallelism=calls.LANES)])
)


class Manager(IntegerIDMixin, fastapi_users.BaseUserManager[User, int]):
    reset_password_token_secret = verification_token_secret = "a secret of this benchmark only"


async def manager(session: Database):
    yield Manager(SQLAlchemyUserDatabase(session, User), helper)


async def strategy(session: Database):
    return DatabaseStrategy(SQLAlchemyAccessTokenDatabase(session, Token), lifetime_seconds=86_400)


backend = AuthenticationBackend(name="bearer", transport=BearerTransport(tokenUrl="login"), get_strategy=strategy)
users = FastAPIUsers[User, int](manager, [backend])
SignedIn = Annotated[User, Depends(users.current_user(active=True))]
app = FastAPI()
app.include_router(users.get_auth_router(backend))
app.include_router(users.get_users_router(schemas.BaseUser[int], schemas.BaseUserUpdate), prefix="/users")


@app.post("/clients")
async def create(new: NewClient, user: SignedIn, session: Database) -> ShownClient:
    last = await session.scalar(select(func.max(Client.change)).where(Client.operator == user.id))
    client = Client(operator=user.id, change=(last or 0) + 1, **new.model_dump())
    session.add(client)
    await session.commit()
    return ShownClient.model_validate(client, from_attributes=True)


@app.get("/clients")
async def changed(since: int, user: SignedIn, session: Database) -> list[ShownClient]:
    chosen = select(Client).where(Client.operator == user.id, Client.change >= since).order_by(Client.change.desc())
    return [ShownClient.model_validate(each, from_attributes=True) for each in await session.scalars(chosen)]


async def main():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with make_session() as session:
        person = schemas.BaseUserCreate(**calls.PERSON)
        await Manager(SQLAlchemyUserDatabase(session, User), helper).create(person)
    call = calls.asgi(app)
    form = urlencode({"username": calls.PERSON["email"], "password": calls.PERSON["password"]})
    signed_in = await call("POST", "/login", form=form)
    own = [("Authorization", "Bearer " + signed_in["access_token"])]
    await calls.report_later(
        who_am_i=lambda: call("GET", "/users/me", headers=own),
        create=lambda number: call("POST", "/clients", calls.client(number), own),
        changed=lambda: call("GET", "/clients", headers=own, query="since=1000000000"),
        sign_in=lambda: call("POST", "/login", form=form),
    )
    await engine.dispose()


asyncio.run(main())
