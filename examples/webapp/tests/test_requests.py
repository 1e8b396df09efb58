"""Requests that no browser would send, and what pages send to browsers."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from site_under_test import Site, Visitor, wait_until

PASSWORD = "correct horse battery"
EMAIL = "lasoren@bu.edu"


def sign_up(site: Site, email: str = EMAIL) -> Visitor:
    """A visitor with a confirmed account, who is signed in."""
    visitor = Visitor(site)
    assert visitor.get("/sign-up") == 200
    names = {"first_name": "Luke", "last_name": "Sorenson"}
    assert visitor.post("/sign-up", **names, email=email, new_password=PASSWORD) == 303, visitor.text
    assert visitor.follow(site.link(email, "/operators/confirm")) == 303, visitor.text
    sign_in(visitor, email)
    return visitor


def sign_in(visitor: Visitor, email: str = EMAIL, password: str = PASSWORD) -> None:
    visitor.get("/sign-in")
    assert visitor.post("/sign-in", email=email, password=password) == 303, visitor.text


@pytest.fixture(scope="module")
def site_with_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    sign_up(site)
    yield site
    site.close()


def test_forged_forms_are_refused(site: Site) -> None:
    visitor = sign_up(site)
    other = Visitor(site)
    other.get("/sign-in")
    for forged in [{}, {"form_token": ""}, {"form_token": "wrong"}, {"form_token": other.cookies["__Host-form"]}]:
        assert visitor.forge("/sign-out", **forged) == 403
        assert visitor.forge("/account/delete", password=PASSWORD, **forged) == 403
        assert "out of date" in visitor.text
    assert visitor.get("/account") == 200 and EMAIL in visitor.text
    # A token without its cookie is worth nothing either, also where no session is needed.
    token = visitor.cookies.pop("__Host-form")
    assert visitor.forge("/sign-out", form_token=token) == 403
    assert Visitor(site).forge("/sign-in", email=EMAIL, password=PASSWORD, form_token=token) == 403
    assert Visitor(site).forge("/sign-in", email=EMAIL, password=PASSWORD, form_token="") == 403


def test_cookies_and_headers_are_strict(site: Site) -> None:
    visitor = sign_up(site)
    (cookie,) = visitor.set_cookies
    assert cookie.startswith("__Host-session=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert parts == {"httponly", "secure", "samesite=lax", "path=/", f"max-age={30 * 86_400}"}
    for path, status in [("/sign-in", 200), ("/account", 200), ("/nothing", 404), ("/static/style.css", 200)]:
        assert visitor.get(path) == status
        policy = visitor.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert visitor.headers["Cache-Control"] == "no-store"
        assert visitor.headers["Referrer-Policy"] == "no-referrer"
        assert visitor.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_of_the_account_need_a_session(site: Site) -> None:
    visitor = Visitor(site)
    visitor.cookies["__Host-session"] = f"1.{'0' * 128}"
    assert visitor.get("/account") == 303 and "__Host-session" not in visitor.cookies
    for path in [
        "/account",
        "/account/sessions",
        "/account/password",
        "/account/delete",
        "/operators/change-email?code=1",
    ]:
        for session in ["", "1", "x.y", f"{'9' * 5_000}.{'0' * 128}"]:
            visitor.cookies = {"__Host-session": session}
            assert visitor.get(path) == 303
            assert visitor.location is not None and visitor.location.startswith("/sign-in?next=%2F")


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/account/sessions", "/account/sessions"),
        ("/operators/change-email?code=1-ab", "/operators/change-email?code=1-ab"),
        ("", "/account"),
        ("https://evil.example", "/account"),
        ("//evil.example", "/account"),
        ("/\\evil.example", "/account"),
        ("/\t/evil.example", "/account"),
        ("/\r\nSet-Cookie: a=b", "/account"),
        ("javascript:alert(1)", "/account"),
    ],
)
def test_signing_in_leads_only_to_this_site(site_with_account: Site, target: str, location: str) -> None:
    visitor = Visitor(site_with_account)
    visitor.get("/sign-in")
    assert visitor.post("/sign-in", email=EMAIL, password=PASSWORD, next=target) == 303
    assert visitor.location == location


def test_only_an_administrator_has_the_admin_page(site: Site) -> None:
    visitor = sign_up(site)
    other = sign_up(site, "mary@example.com")
    assert Visitor(site).get("/admin") == 303
    for _ in range(4):
        assert visitor.get("/admin") == 404 and "mary@" not in visitor.text
        assert visitor.post("/admin/2/disable") == 404
    assert other.get("/account") == 200 and "/admin" not in other.text
    site.make_administrator(EMAIL)
    assert visitor.get("/account") == 200 and "/admin" in visitor.text
    assert visitor.get("/admin") == 200 and "mary@example.com" in visitor.text
    assert visitor.forge("/admin/2/disable") == 403 and other.get("/account") == 200
    assert other.post("/admin/1/disable") == 404
    assert visitor.post("/admin/2/disable") == 303 and other.get("/account") == 303
    assert visitor.post("/admin/999/disable") == 400 and "no such account" in visitor.text
    # The audit trail has the administrator.
    event = json.loads(site.command("audit", "--json").splitlines()[-1])
    assert event["kind"] == "admin_account_disabled" and "operators:1" in json.dumps(event), event


def test_the_admin_page_has_pages_and_a_search(site: Site, tmp_path: Path) -> None:
    visitor = sign_up(site)
    site.make_administrator(EMAIL)
    users = tmp_path / "users.csv"
    rows = [f"user{number}@example.com,User,Number {number}" for number in range(70)]
    users.write_text("\n".join(["email,first_name,last_name", *rows]) + "\n")
    site.command("import", "--from", "csv", "--api", "operators", "--confirmed", "yes", str(users))
    assert visitor.get("/admin") == 200
    shown = re.findall(r"user\d+@", visitor.text)
    following = re.search(r'href="(/admin\?[^"]+)"', visitor.text)
    assert len(shown) == 49 and following is not None
    assert visitor.get(following[1]) == 200
    assert len({*shown, *re.findall(r"user\d+@", visitor.text)}) == 70
    assert visitor.get("/admin?search=number+69") == 200
    assert re.findall(r"user\d+@", visitor.text) == ["user69@"]
    assert visitor.get("/admin?after=nonsense") == 400


def test_opening_a_link_changes_nothing(site: Site) -> None:
    visitor = Visitor(site)
    visitor.get("/sign-up")
    visitor.post("/sign-up", first_name="A", last_name="B", email=EMAIL, new_password=PASSWORD)
    link = site.link(EMAIL, "/operators/confirm")
    assert visitor.get(link.removeprefix(site.url)) == 200
    assert visitor.post("/sign-in", email=EMAIL, password=PASSWORD) == 400
    assert "not confirmed" in visitor.text
    assert visitor.follow(link) == 303
    assert visitor.post("/sign-in", email=EMAIL, password=PASSWORD) == 303


def test_values_are_escaped(site: Site) -> None:
    visitor = sign_up(site)
    script = '"><script>alert(1)</script>'
    assert visitor.post("/account", first_name=script, last_name="B") == 303
    query = quote(script)
    for path in ["/account", f"/sign-up?email={query}", f"/operators/confirm?code={query}", f"/sign-in?next={query}"]:
        assert visitor.get(path) == 200
        assert "<script" not in visitor.html and "&lt;script" in visitor.html
    visitor.get(f"/account?notice={query}")
    assert visitor.html.count("script") == 2, "only the name"


def test_a_refusal_shows_the_form_again_without_the_password(site: Site) -> None:
    visitor = Visitor(site)
    visitor.get("/sign-up")
    fields = {"first_name": "Luke", "last_name": "Sorenson", "email": EMAIL}
    assert visitor.post("/sign-up", **fields, new_password="a short one") == 400
    assert "Password is too short." in visitor.text
    assert f'value="{EMAIL}"' in visitor.text and "a short one" not in visitor.text
    assert visitor.post("/sign-up", **{**fields, "email": "nobody"}, new_password=PASSWORD) == 400
    assert "Email field invalid." in visitor.text
    assert visitor.post("/sign-up") == 400


def test_guessing_a_password_locks_the_account_for_the_address(site: Site) -> None:
    visitor = sign_up(site)
    guesser = Visitor(site)
    guesser.get("/sign-in")
    statuses = [guesser.post("/sign-in", email=EMAIL, password=f"guess number {guess}") for guess in range(12)]
    assert statuses == [400] * 10 + [429] * 2
    assert visitor.get("/account") == 200


def test_the_next_request_works_after_a_process_has_died(site: Site) -> None:
    visitor = sign_up(site)
    before = site.posterns()
    assert len(before) == 2
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    statuses = [visitor.get("/account") for _ in range(20)]
    assert set(statuses) <= {200, 503} and statuses.count(503) <= 2
    wait_until(lambda: visitor.get("/account") == 200 and not set(before) & set(site.posterns()))


def test_no_process_is_left(site: Site) -> None:
    sign_up(site)
    posterns = site.posterns()
    site.close()
    assert not [pid for pid in posterns if os.path.exists(f"/proc/{pid}")]
    assert "Traceback" not in site.log
