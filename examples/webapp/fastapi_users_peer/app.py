"""The part of the web application that fastapi-users has methods for, with the same pages."""

from contextlib import suppress
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Form, Request, Response
from fastapi.security import OAuth2PasswordRequestForm
from fastapi.staticfiles import StaticFiles
from fastapi_users import exceptions, schemas
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from fastapi_users_peer.database import AccessToken, NewUser, User, strategy
from fastapi_users_peer.users import Manager, backend, cookie, manager, users
from pages import FOLDER, FormPage, add_headers, check_form, delete_cookie, local, page, redirect

PUBLIC_FORMS = {
    "/sign-up": FormPage(
        "Create an account", ("first_name", "last_name", "email", "new_password"), "Create the account"
    ),
    "/sign-in": FormPage("Sign in", ("email", "password"), "Sign in"),
    "/confirmation": FormPage("Confirm your email", ("email",), "Mail me a new link"),
    "/forgotten-password": FormPage("Forgotten password", ("email",), "Mail me a link"),
    "/operators/confirm": FormPage("Confirm your email", (), "Confirm"),
    "/operators/reset": FormPage("Set a new password", ("new_password",), "Set the password"),
}
ACCOUNT_FORMS = {
    "/account/password": FormPage("Change the password", ("password", "new_password"), "Change the password"),
    "/account/delete": FormPage("Delete the account", ("password",), "Delete the account"),
}
FORMS = PUBLIC_FORMS | ACCOUNT_FORMS
LINKS = {path: form.title for path, form in ACCOUNT_FORMS.items()}
Text = Annotated[str, Form()]
Users = Annotated[Manager, Depends(manager)]
Sessions = Annotated[DatabaseStrategy[User, int, AccessToken], Depends(strategy)]
current_user = users.current_user(active=True, verified=True)
SignedIn = Annotated[User, Depends(current_user)]
current_token = users.authenticator.current_user_token(active=True, verified=True)

app = FastAPI(dependencies=[Depends(check_form)], openapi_url=None)
app.middleware("http")(add_headers)
app.mount("/static", StaticFiles(directory=FOLDER / "static"))


async def show_form(request: Request) -> Response:
    return await page(request, "form.html", form=FORMS[request.url.path])


for path in FORMS:
    app.get(path, dependencies=[Depends(current_user)] if path in ACCOUNT_FORMS else [])(show_form)


@app.post("/sign-up")
async def sign_up(
    users: Users, first_name: Text = "", last_name: Text = "", email: Text = "", new_password: Text = ""
) -> Response:
    new = NewUser(first_name=first_name, last_name=last_name, email=email, password=new_password)
    await users.request_verify(await users.create(new, safe=True))
    return redirect("/sign-in?notice=confirmation-mailed")


@app.post("/confirmation")
async def resend_confirmation(users: Users, email: Text = "") -> Response:
    with suppress(exceptions.UserNotExists, exceptions.UserAlreadyVerified, exceptions.UserInactive):
        await users.request_verify(await users.get_by_email(email))
    return redirect("/sign-in?notice=confirmation-mailed")


@app.post("/operators/confirm")
async def confirm_email(users: Users, code: Text = "") -> Response:
    with suppress(exceptions.UserAlreadyVerified):
        await users.verify(code)
    return redirect("/sign-in?notice=confirmed")


@app.post("/sign-in")
async def sign_in(
    request: Request, users: Users, sessions: Sessions, email: Text = "", password: Text = "", next: Text = ""
) -> Response:
    user = await users.authenticate(OAuth2PasswordRequestForm(username=email, password=password))
    if user is None or not user.is_active or not user.is_verified:
        error = "Email or password is wrong, or the email is not confirmed."
        return await page(request, "form.html", 400, form=FORMS["/sign-in"], error=error)
    return await signed_in(user, sessions, local(next))


async def signed_in(user: User, sessions: Sessions, target: str) -> Response:
    response = await backend.login(sessions, user)
    response.status_code, response.headers["Location"] = 303, target
    return response


@app.post("/sign-out")
async def sign_out(sessions: Sessions, signed_in: Annotated[tuple[User, str], Depends(current_token)]) -> Response:
    await backend.logout(sessions, *signed_in)
    return signed_out("signed-out")


@app.post("/forgotten-password")
async def reset_password(users: Users, email: Text = "") -> Response:
    with suppress(exceptions.UserNotExists, exceptions.UserInactive):
        await users.forgot_password(await users.get_by_email(email))
    return redirect("/sign-in?notice=reset-mailed")


@app.post("/operators/reset")
async def complete_reset(users: Users, code: Text = "", new_password: Text = "") -> Response:
    await users.reset_password(code, new_password)
    return signed_out("password-set")


@app.get("/")
async def home() -> Response:
    return redirect("/account")


@app.get("/account")
async def show_account(request: Request, user: SignedIn) -> Response:
    return await page(request, "account.html", person=user, links=LINKS)


@app.post("/account")
async def update(users: Users, user: SignedIn, first_name: Text = "", last_name: Text = "") -> Response:
    await users.user_db.update(user, {"first_name": first_name, "last_name": last_name})
    return redirect("/account?notice=saved")


@app.post("/account/password")
async def change_password(
    request: Request,
    users: Users,
    sessions: Sessions,
    user: SignedIn,
    password: Text = "",
    new_password: Text = "",
) -> Response:
    if not await users.is_password(user, password):
        return await show_refusal(request, "Password is incorrect for this account.")
    await users.update(schemas.BaseUserUpdate(password=new_password), user, safe=True)
    await users.end_sessions(user)
    return await signed_in(user, sessions, "/account?notice=password-changed")


@app.post("/account/delete")
async def delete(request: Request, users: Users, user: SignedIn, password: Text = "") -> Response:
    if not await users.is_password(user, password):
        return await show_refusal(request, "Password is incorrect for this account.")
    await users.end_sessions(user)
    await users.delete(user)
    return signed_out("deleted")


def signed_out(notice: str) -> Response:
    response = redirect(f"/sign-in?notice={notice}")
    delete_cookie(response, cookie.cookie_name)
    return response


async def show_refusal(request: Request, error: str) -> Response:
    form = FORMS.get(request.url.path)
    return await page(request, "form.html" if form else "error.html", 400, form=form, error=error)


@app.exception_handler(exceptions.FastAPIUsersException)
async def refuse(request: Request, error: exceptions.FastAPIUsersException) -> Response:
    reasons = {
        exceptions.UserAlreadyExists: "An account with this email already exists.",
        exceptions.InvalidVerifyToken: "This link is not valid, or not any more.",
        exceptions.InvalidResetPasswordToken: "This link is not valid, or not any more.",
    }
    reason = getattr(error, "reason", None) or reasons.get(type(error), "That is not possible.")
    return await show_refusal(request, reason)


@app.exception_handler(ValidationError)
async def refuse_field(request: Request, error: ValidationError) -> Response:
    return await show_refusal(request, f"{error.errors()[0]['loc'][0]} is not valid.".capitalize())


@app.exception_handler(HTTPException)
async def show_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == 401:
        target = f"{request.url.path}?{request.url.query}" if request.method == "GET" else "/account"
        return redirect("/sign-in?" + urlencode({"next": target}))
    return await page(request, "error.html", error.status_code, error=error.detail)
