"""The tables, and the objects of fastapi-users that use them.

python -m fastapi_users_peer.database    # creates the tables, once, before the workers start
"""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from fastapi_users import schemas
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTable, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import SQLAlchemyAccessTokenDatabase, SQLAlchemyBaseAccessTokenTable
from sqlalchemy import ForeignKey, String
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SESSION_SECONDS = 30 * 86_400


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTable[int], Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    first_name: Mapped[str] = mapped_column(String(200))
    last_name: Mapped[str] = mapped_column(String(200))


class AccessToken(SQLAlchemyBaseAccessTokenTable[int], Base):
    __tablename__ = "access_token"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="cascade"))


class NewUser(schemas.BaseUserCreate):
    first_name: str
    last_name: str


engine = create_async_engine("sqlite+aiosqlite:///" + os.environ["DATABASE"])
make_session = async_sessionmaker(engine, expire_on_commit=False)


async def database() -> AsyncIterator[AsyncSession]:
    async with make_session() as session:
        yield session


Database = Annotated[AsyncSession, Depends(database)]


async def user_database(session: Database) -> SQLAlchemyUserDatabase[User, int]:
    return SQLAlchemyUserDatabase(session, User)


async def strategy(session: Database) -> DatabaseStrategy[User, int, AccessToken]:
    return DatabaseStrategy(SQLAlchemyAccessTokenDatabase(session, AccessToken), lifetime_seconds=SESSION_SECONDS)


async def create_tables() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)


if __name__ == "__main__":
    asyncio.run(create_tables())
