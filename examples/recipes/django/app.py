"""Accounts in a Django project, in one file: settings, views and URLs.

    gunicorn --workers 2 --threads 4 app:application

Each worker has its own Postern process; all of them use the directory that POSTERN_DATA names. Django's own users, sessions and
database are not used.
"""

import os
import threading

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.template import Context, Template
from django.urls import path
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST
from postern_accounts import Postern
from postern_accounts.errors import CallError, ClientClosed, ProcessEnded, operators

settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware", f"{__name__}.Refusals"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
# Only to try it without TLS.
SECURE_COOKIES = os.environ.get("SECURE_COOKIES") != "0"
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
{% if sessions %}<ul>{% for session in sessions %}<li>{{ session.agent }} {% if session.current %}(this one){% endif %}
<form method=post action=/sessions/end>{{ token }}<button name=id value={{ session.id }}>End</button></form>{% endfor %}</ul>
<form method=post action=/sign-out>{{ token }}<button>Sign out</button></form>{% endif %}
{% for path, form in forms.items %}<form method=post action={{ path }}><h2>{{ form.0 }}</h2>{{ token }}
{% for name in form.1 %}<input name={{ name }} placeholder={{ name }}{% if name == "code" %} value="{{ code }}"{% endif %}>{% endfor %}
<button>{{ form.0 }}</button></form>{% endfor %}"""


class Accounts:
    """The client of this worker, opened in it and not before the fork. It closes when the worker exits."""

    def __init__(self):
        self.lock, self.client, self.used = threading.Lock(), None, threading.local()

    @property
    def operators(self):
        with self.lock:
            if self.client is None:
                self.client = Postern(timeout=10)
            self.used.client = self.client
            return self.client.operators

    def forget(self):
        """The process has died. What was acknowledged is in the directory, and the next request opens a new client."""
        with self.lock:
            # Another request may have opened the next one already.
            if self.client is self.used.client:
                self.client = None


accounts = Accounts()


class Refusals:
    """Shows what the service refuses."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, request):
        return self.answer(request)

    def process_exception(self, request, error):
        if isinstance(error, operators.AuthenticationFailed):
            # The session has expired, or was ended elsewhere.
            return signed_out()
        if isinstance(error, CallError):
            return show(request, error.message, status=400)
        if isinstance(error, ProcessEnded | ClientClosed):
            accounts.forget()
            return show(request, "Please try again.", status=503)
        return None


def show(request, message, forms=(), sessions=(), status=200):
    token = format_html('<input type=hidden name=csrfmiddlewaretoken value="{}">', get_token(request))
    shown = {name: FORMS[name] for name in forms}
    values = {"message": message, "forms": shown, "sessions": sessions, "token": token, "code": request.GET.get("code", "")}
    return HttpResponse(Template(PAGE).render(Context(values)), status=status)


def origin(request):
    """Where the request comes from: failures count for this address, and the list of sessions shows it."""
    return {"ip": request.META["REMOTE_ADDR"], "agent": request.headers.get("User-Agent", "")}


def session(request):
    """The credential in the cookie."""
    number, _, secret = request.COOKIES.get("session", "0.").partition(".")
    return {"user_id": int(number) if number.isdecimal() else 0, "session_id": secret}


def signed_out():
    response = HttpResponseRedirect("/")
    response.delete_cookie("session")
    return response


@require_GET
def home(request):
    if "session" not in request.COOKIES:
        return show(request, "You are not signed in.", list(FORMS)[:3])
    account = accounts.operators.account(**session(request))
    return show(request, f"You are {account.user.email}.", sessions=accounts.operators.sessions(**session(request)).sessions)


def sign_up(request):
    user = {name: request.POST[name] for name in ("first_name", "last_name", "email")}
    accounts.operators.register(user=user, password=request.POST["password"], client=origin(request))
    return show(request, "A mail with a link is on its way.")


def confirm(request):
    accounts.operators.confirm_email(code=request.POST["code"])
    return HttpResponseRedirect("/")


def sign_in(request):
    email, password = request.POST["email"], request.POST["password"]
    operator = accounts.operators.signin(email=email, password=password, client=origin(request))
    response = HttpResponseRedirect("/")
    cookie = f"{operator.id}.{operator.session_id}"
    response.set_cookie("session", cookie, httponly=True, samesite="Lax", secure=SECURE_COOKIES)
    return response


@require_POST
def sign_out(request):
    accounts.operators.signout(**session(request))
    return signed_out()


@require_POST
def end_session(request):
    accounts.operators.end_session(**session(request), id=int(request.POST["id"]))
    return HttpResponseRedirect("/")


def forgotten(request):
    accounts.operators.reset_password(email=request.POST["email"], client=origin(request))
    return show(request, "A mail with a link is on its way.")


def reset(request):
    code, password = request.POST["code"], request.POST["password"]
    accounts.operators.complete_reset(code=code, password=password, client=origin(request))
    return HttpResponseRedirect("/")


def form(name, action):
    """A view that shows a form, and does what it says."""
    return path(name[1:], lambda request: action(request) if request.method == "POST" else show(request, "", [name]))


urlpatterns = [
    path("", home),
    path("sign-out", sign_out),
    path("sessions/end", end_session),
    form("/sign-up", sign_up),
    form("/sign-in", sign_in),
    form("/forgotten", forgotten),
    form("/operators/confirm", confirm),
    form("/operators/reset", reset),
]
application = get_wsgi_application()
