"""Accounts in a Flask application.

    gunicorn --workers 2 --threads 4 app:app

Each worker has its own Postern process; all of them use the directory that POSTERN_DATA names.
"""

import os
import threading

from flask import Flask, g, make_response, redirect, render_template_string, request
from postern_accounts import Postern
from postern_accounts.errors import CallError, ClientClosed, ProcessEnded, operators

FORMS = {
    "/sign-up": ("Create an account", ["first_name", "last_name", "email", "password"]),
    "/sign-in": ("Sign in", ["email", "password"]),
    "/forgotten": ("Mail me a link to set a new password", ["email"]),
    # The links in mails. Opening one changes nothing, because programs that scan mails open links too.
    "/operators/confirm": ("Confirm your email", ["code"]),
    "/operators/reset": ("Set a new password", ["code", "password"]),
}
PAGE = """<!doctype html><title>Accounts</title>
<p>{{ message }}</p>
{% if sessions %}<ul>{% for session in sessions %}<li>{{ session.agent }} {{ "(this one)" if session.current }}
<form method=post action=/sessions/end><button name=id value={{ session.id }}>End</button></form>{% endfor %}</ul>
<form method=post action=/sign-out><button>Sign out</button></form>{% endif %}
{% for path, (title, names) in forms.items() %}<form method=post action={{ path }}><h2>{{ title }}</h2>
{% for name in names %}<input name={{ name }} placeholder={{ name }} value="{{ request.args.get(name, '') }}">{% endfor %}
<button>{{ title }}</button></form>{% endfor %}"""

# Only to try it without TLS.
SECURE_COOKIES = os.environ.get("SECURE_COOKIES") != "0"

app = Flask(__name__)
lock = threading.Lock()
client = None


def postern():
    """The client of this worker, opened in it and not before the fork. It closes when the worker exits."""
    global client
    with lock:
        if client is None:
            client = Postern(timeout=10)
        g.client = client
        return client


@app.errorhandler(CallError)
def refused(error):
    return render_template_string(PAGE, message=error.message, forms={}), 400


@app.errorhandler(operators.AuthenticationFailed)
def session_ended(error):
    """The session has expired, or was ended elsewhere."""
    return signed_out()


@app.errorhandler(ProcessEnded)
@app.errorhandler(ClientClosed)
def ended(error):
    """The process has died. What was acknowledged is in the directory, and the next request opens a new client."""
    global client
    with lock:
        # Another request may have opened the next one already.
        if client is g.client:
            client = None
    return render_template_string(PAGE, message="Please try again.", forms={}), 503


def origin():
    """Where the request comes from: failures count for this address, and the list of sessions shows it."""
    return {"ip": request.remote_addr, "agent": request.user_agent.string}


def session():
    """The credential in the cookie."""
    number, _, secret = request.cookies.get("session", "0.").partition(".")
    return {"user_id": int(number) if number.isdecimal() else 0, "session_id": secret}


def back(cookie=None):
    response = make_response(redirect("/"))
    if cookie is not None:
        # With SameSite, other sites cannot send forms in the name of the user.
        response.set_cookie("session", cookie, httponly=True, samesite="Lax", secure=SECURE_COOKIES)
    return response


def signed_out():
    response = back()
    response.delete_cookie("session")
    return response


@app.get("/")
def home():
    if "session" not in request.cookies:
        return render_template_string(PAGE, message="You are not signed in.", forms=dict(list(FORMS.items())[:3]))
    methods = postern().operators
    account, sessions = methods.account(**session()), methods.sessions(**session()).sessions
    return render_template_string(PAGE, message=f"You are {account.user.email}.", sessions=sessions, forms={})


@app.get("/<path:path>")
def form(path):
    if f"/{path}" not in FORMS:
        return render_template_string(PAGE, message="There is no such page.", forms={}), 404
    return render_template_string(PAGE, message="", forms={f"/{path}": FORMS[f"/{path}"]})


@app.post("/sign-up")
def sign_up():
    given = request.form
    user = {name: given[name] for name in ("first_name", "last_name", "email")}
    postern().operators.register(user=user, password=given["password"], client=origin())
    return render_template_string(PAGE, message="A mail with a link is on its way.", forms={})


@app.post("/operators/confirm")
def confirm():
    postern().operators.confirm_email(code=request.form["code"])
    return back()


@app.post("/sign-in")
def sign_in():
    given = request.form
    operator = postern().operators.signin(email=given["email"], password=given["password"], client=origin())
    return back(cookie=f"{operator.id}.{operator.session_id}")


@app.post("/sign-out")
def sign_out():
    postern().operators.signout(**session())
    return signed_out()


@app.post("/sessions/end")
def end_session():
    postern().operators.end_session(**session(), id=int(request.form["id"]))
    return back()


@app.post("/forgotten")
def forgotten():
    postern().operators.reset_password(email=request.form["email"], client=origin())
    return render_template_string(PAGE, message="A mail with a link is on its way.", forms={})


@app.post("/operators/reset")
def reset():
    given = request.form
    postern().operators.complete_reset(code=given["code"], password=given["password"], client=origin())
    return back()
