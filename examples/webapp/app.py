"""A web application with accounts: every account method of the operators API as a page.

    uvicorn --workers 2 --no-access-log app:app

README.md says how to run it. Each worker has its own Postern process; all of them use one directory.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Form, Request, Response
from fastapi.staticfiles import StaticFiles
from postern_accounts import errors
from postern_accounts.errors import CallError, ClientClosed, ProcessEnded
from starlette.exceptions import HTTPException

from accounts import SESSION_COOKIE, NotSignedIn, Origin, Postern, SignedIn, accounts, session
from admin import is_administrator, router
from pages import FOLDER, FormPage, add_headers, check_form, delete_cookie, local, page, redirect, set_cookie

SESSION_SECONDS, IDLE_SECONDS = 30 * 86_400, 7 * 86_400
PUBLIC_FORMS = {
    "/sign-up": FormPage(
        "Create an account", ("first_name", "last_name", "email", "new_password"), "Create the account"
    ),
    "/sign-in": FormPage("Sign in", ("email", "password"), "Sign in"),
    "/confirmation": FormPage("Confirm your email", ("email",), "Mail me a new link"),
    "/forgotten-password": FormPage("Forgotten password", ("email",), "Mail me a link"),
    # The links in mails. Opening one changes nothing, because programs that scan mails open links too.
    "/operators/confirm": FormPage("Confirm your email", (), "Confirm"),
    "/operators/reset": FormPage("Set a new password", ("new_password",), "Set the password"),
    "/operators/revert-email": FormPage("Restore your email", ("new_password",), "Restore the email"),
}
ACCOUNT_FORMS = {
    "/account/password": FormPage("Change the password", ("password", "new_password"), "Change the password"),
    "/account/email": FormPage("Change the email", ("password", "email"), "Mail a link to the new address"),
    "/account/delete": FormPage("Delete the account", ("password",), "Delete the account"),
    "/operators/change-email": FormPage("Confirm your new email", (), "Change the email"),
}
FORMS = PUBLIC_FORMS | ACCOUNT_FORMS
LINKS = {"/account/sessions": "Your sessions"} | {
    path: form.title for path, form in ACCOUNT_FORMS.items() if path.startswith("/account/")
}
Text = Annotated[str, Form()]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await accounts.open()
    yield
    await accounts.close()


app = FastAPI(lifespan=lifespan, dependencies=[Depends(check_form)], openapi_url=None)
app.middleware("http")(add_headers)
app.include_router(router)
app.mount("/static", StaticFiles(directory=FOLDER / "static"))


async def show_form(request: Request) -> Response:
    return await page(request, "form.html", form=FORMS[request.url.path])


for path in FORMS:
    app.get(path, dependencies=[Depends(session)] if path in ACCOUNT_FORMS else [])(show_form)


# Signing up and in


@app.post("/sign-up")
async def sign_up(
    postern: Postern,
    client: Origin,
    first_name: Text = "",
    last_name: Text = "",
    email: Text = "",
    new_password: Text = "",
) -> Response:
    operator = await postern.operators.register(
        user={"first_name": first_name, "last_name": last_name, "email": email}, password=new_password, client=client
    )
    # Only an owner of the address gets a session that lasts.
    await postern.operators.signout(user_id=operator.id, session_id=operator.session_id)
    return redirect("/sign-in?notice=confirmation-mailed")


@app.post("/confirmation")
async def resend_confirmation(postern: Postern, client: Origin, email: Text = "") -> Response:
    await postern.operators.resend_confirmation(email=email, client=client)
    return redirect("/sign-in?notice=confirmation-mailed")


@app.post("/operators/confirm")
async def confirm_email(postern: Postern, code: Text = "") -> Response:
    await postern.operators.confirm_email(code=code)
    return redirect("/sign-in?notice=confirmed")


@app.post("/sign-in")
async def sign_in(
    request: Request, postern: Postern, client: Origin, email: Text = "", password: Text = "", next: Text = ""
) -> Response:
    try:
        operator = await postern.operators.signin(
            email=email,
            password=password,
            client=client,
            session_seconds=SESSION_SECONDS,
            idle_seconds=IDLE_SECONDS,
        )
    except (errors.operators.AccountInvalidOrUnconfirmed, errors.operators.WrongPassword):
        error = "Email or password is wrong, or the email is not confirmed."
        return await page(request, "form.html", 400, form=FORMS["/sign-in"], error=error)
    response = redirect(local(next))
    set_cookie(response, SESSION_COOKIE, f"{operator.id}.{operator.session_id}", SESSION_SECONDS)
    return response


@app.post("/sign-out")
async def sign_out(postern: Postern, session: SignedIn) -> Response:
    await postern.operators.signout(**session)
    return signed_out("signed-out")


@app.post("/forgotten-password")
async def reset_password(postern: Postern, client: Origin, email: Text = "") -> Response:
    await postern.operators.reset_password(email=email, client=client)
    return redirect("/sign-in?notice=reset-mailed")


@app.post("/operators/reset")
async def complete_reset(postern: Postern, client: Origin, code: Text = "", new_password: Text = "") -> Response:
    await postern.operators.complete_reset(code=code, password=new_password, client=client)
    return signed_out("password-set")


@app.post("/operators/revert-email")
async def revert_email(postern: Postern, client: Origin, code: Text = "", new_password: Text = "") -> Response:
    await postern.operators.revert_email_change(code=code, password=new_password, client=client)
    return signed_out("email-restored")


# The account


@app.get("/")
async def home() -> Response:
    return redirect("/account")


@app.get("/account")
async def show_account(request: Request, postern: Postern, session: SignedIn) -> Response:
    account = await postern.operators.account(**session)
    links = LINKS | ({"/admin": "Accounts"} if await is_administrator(postern, session) else {})
    return await page(request, "account.html", person=account.user, links=links)


@app.post("/account")
async def update(postern: Postern, session: SignedIn, first_name: Text = "", last_name: Text = "") -> Response:
    await postern.operators.update(**session, user={"first_name": first_name, "last_name": last_name})
    return redirect("/account?notice=saved")


@app.post("/account/password")
async def change_password(
    postern: Postern, session: SignedIn, client: Origin, password: Text = "", new_password: Text = ""
) -> Response:
    changed = await postern.operators.change_password(
        **session, current_password=password, password=new_password, client=client
    )
    response = redirect("/account?notice=password-changed")
    set_cookie(response, SESSION_COOKIE, f"{session['user_id']}.{changed.session_id}", SESSION_SECONDS)
    return response


@app.post("/account/email")
async def change_email(
    postern: Postern, session: SignedIn, client: Origin, password: Text = "", email: Text = ""
) -> Response:
    await postern.operators.change_email(**session, current_password=password, email=email, client=client)
    return redirect("/account?notice=change-mailed")


@app.post("/operators/change-email")
async def confirm_email_change(postern: Postern, session: SignedIn, code: Text = "") -> Response:
    await postern.operators.confirm_email_change(**session, code=code)
    return redirect("/account?notice=email-changed")


@app.post("/account/delete")
async def delete(postern: Postern, session: SignedIn, client: Origin, password: Text = "") -> Response:
    await postern.operators.delete(**session, current_password=password, client=client)
    return signed_out("deleted")


# Sessions


@app.get("/account/sessions")
async def show_sessions(request: Request, postern: Postern, session: SignedIn) -> Response:
    listed = await postern.operators.sessions(**session)
    return await page(request, "sessions.html", sessions=listed.sessions)


@app.post("/account/sessions/{number}/end")
async def end_session(postern: Postern, session: SignedIn, number: int) -> Response:
    await postern.operators.end_session(**session, id=number)
    return redirect("/account/sessions")


@app.post("/account/sessions/end-others")
async def end_other_sessions(postern: Postern, session: SignedIn) -> Response:
    await postern.operators.end_other_sessions(**session)
    return redirect("/account/sessions?notice=others-ended")


# Errors


def signed_out(notice: str) -> Response:
    response = redirect(f"/sign-in?notice={notice}")
    delete_cookie(response, SESSION_COOKIE)
    return response


@app.exception_handler(NotSignedIn)
@app.exception_handler(errors.operators.AuthenticationFailed)
async def ask_to_sign_in(request: Request, error: Exception) -> Response:
    target = f"{request.url.path}?{request.url.query}" if request.method == "GET" else "/account"
    response = redirect("/sign-in?" + urlencode({"next": target}))
    delete_cookie(response, SESSION_COOKIE)
    return response


@app.exception_handler(CallError)
async def show_refusal(request: Request, error: CallError) -> Response:
    """Shows the form again, with the reason."""
    form = FORMS.get(request.url.path)
    status_code = 400 if error.retry_after is None else 429
    return await page(request, "form.html" if form else "error.html", status_code, form=form, error=error.message)


@app.exception_handler(HTTPException)
async def show_error(request: Request, error: HTTPException) -> Response:
    return await page(request, "error.html", error.status_code, error=error.detail)


@app.exception_handler(ProcessEnded)
@app.exception_handler(ClientClosed)
async def reopen(request: Request, error: Exception) -> Response:
    if postern := getattr(request.state, "postern", None):
        await accounts.drop(postern)
    return await page(request, "error.html", 503, error="The service was restarted. Please try again.")
