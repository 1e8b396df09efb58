"""The page of administrators: lists, searches, disables and enables accounts.

An administrator is an operator whose `app_metadata` has `"admin": true`. Only administration can set it, such as the
command `postern account set-app-metadata`; the account itself cannot.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from postern_accounts import UNSET

from accounts import Postern, SignedIn
from pages import page, redirect

PAGE_ACCOUNTS = 50


async def is_administrator(postern: Postern, session: SignedIn) -> bool:
    metadata = await postern.operators.metadata(**session)
    return metadata.app_metadata.get("admin") is True


async def administrator(session: SignedIn, is_administrator: Annotated[bool, Depends(is_administrator)]) -> str:
    """The administrator's account, which the audit trail shows. For anyone else, the page does not exist."""
    if not is_administrator:
        raise HTTPException(404)
    return f"operators:{session['user_id']}"


Administrator = Annotated[str, Depends(administrator)]
router = APIRouter(prefix="/admin")


@router.get("")
async def show_accounts(
    request: Request, postern: Postern, administrator: Administrator, search: str = "", after: str = ""
) -> Response:
    found = await postern.admin.accounts.list(
        api="operators", search=search or UNSET, after=after or UNSET, limit=PAGE_ACCOUNTS
    )
    return await page(request, "admin.html", accounts=found.accounts, next=found.next, administrator=administrator)


@router.post("/{number}/disable")
async def disable(postern: Postern, administrator: Administrator, number: int) -> Response:
    await postern.admin.accounts.disable(account=f"operators:{number}", actor=administrator)
    return redirect("/admin?notice=disabled")


@router.post("/{number}/enable")
async def enable(postern: Postern, administrator: Administrator, number: int) -> Response:
    await postern.admin.accounts.enable(account=f"operators:{number}", actor=administrator)
    return redirect("/admin?notice=enabled")
