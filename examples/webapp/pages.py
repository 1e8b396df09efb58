"""What every page needs: templates, forms that cannot be forged, cookies and headers. Accounts are elsewhere."""

import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from starlette.middleware.base import RequestResponseEndpoint

FOLDER = Path(__file__).parent
TEMPLATES = Jinja2Templates(FOLDER / "templates")
FORM_COOKIE = "__Host-form"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none';"
    " base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    # A link from a mail has a code in its address.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Field(NamedTuple):
    """An input of a form."""

    label: str
    type: str
    autocomplete: str


FIELDS = {
    "first_name": Field("First name", "text", "given-name"),
    "last_name": Field("Last name", "text", "family-name"),
    "email": Field("Email", "email", "email"),
    "password": Field("Password", "password", "current-password"),
    "new_password": Field("New password", "password", "new-password"),
}


@dataclass(frozen=True)
class FormPage:
    """A page with one form, whose fields are named in FIELDS."""

    title: str
    fields: tuple[str, ...]
    button: str


async def page(request: Request, template: str, status_code: int = 200, **context: Any) -> HTMLResponse:
    """Renders a page. Its forms contain the token of the visitor's cookie."""
    token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
    given = {**request.query_params, **await request.form()}
    context |= {"form_token": token, "given": given, "fields": FIELDS}
    response = TEMPLATES.TemplateResponse(request, template, context, status_code)
    set_cookie(response, FORM_COOKIE, token)
    return response


async def check_form(request: Request) -> None:
    """Refuses a form that is not from a page of this site: another site can neither read nor set the cookie.

    The prefix __Host- makes browsers refuse such a cookie from subdomains and without HTTPS.
    """
    if request.method in ("GET", "HEAD"):
        return
    token = str((await request.form()).get("form_token", ""))
    cookie = request.cookies.get(FORM_COOKIE, "")
    if not cookie or not secrets.compare_digest(token.encode(), cookie.encode()):
        raise HTTPException(403, "This form is out of date. Go back, reload the page and try again.")


async def add_headers(request: Request, respond: RequestResponseEndpoint) -> Response:
    response = await respond(request)
    response.headers.update(HEADERS)
    return response


def set_cookie(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    response.set_cookie(name, value, max_age=seconds, secure=True, httponly=True, samesite="lax")


def delete_cookie(response: Response, name: str) -> None:
    response.delete_cookie(name, secure=True, httponly=True, samesite="lax")


def redirect(target: str) -> RedirectResponse:
    """Ends a form: the browser shows another page, and a reload does not send the form again."""
    return RedirectResponse(target, 303)


def local(target: str) -> str:
    """The target if it is a path of this site, else the account page. `//host` and `/\\host` are other sites."""
    return target if re.fullmatch(r"/(?![/\\])[!-~]*", target) else "/account"
