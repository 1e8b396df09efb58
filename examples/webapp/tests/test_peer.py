"""The application with fastapi-users: what the README counts also works."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from site_under_test import Site, Visitor
from test_requests import EMAIL, PASSWORD, sign_in, sign_up


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path, "fastapi_users_peer.app:app")
    yield site
    site.close()


def test_the_peer_works(peer: Site) -> None:
    visitor, other = Visitor(peer), Visitor(peer)
    visitor.get("/sign-up")
    names = {"first_name": "Luke", "last_name": "Sorenson"}
    assert visitor.post("/sign-up", **names, email=EMAIL, new_password="short") == 400
    assert "Password is too short." in visitor.text
    assert visitor.post("/sign-up", **names, email="nobody", new_password=PASSWORD) == 400
    assert "Email is not valid." in visitor.text
    other.get("/sign-up")
    visitor = sign_up(peer)
    assert other.post("/sign-up", **names, email=EMAIL, new_password=PASSWORD) == 400
    assert visitor.get("/account") == 200 and EMAIL in visitor.text and "Luke" in visitor.text
    assert visitor.forge("/sign-out") == 403
    sign_in(other)
    assert visitor.post("/account", first_name="Lucas", last_name="Sorenson") == 303
    assert other.get("/account") == 200 and "Lucas" in other.text
    # A new password ends the other sessions.
    new = "another long password"
    assert visitor.post("/account/password", password="wrong", new_password=new) == 400
    assert visitor.post("/account/password", password=PASSWORD, new_password=new) == 303
    assert visitor.get("/account") == 200
    assert other.get("/account") == 303
    assert other.post("/sign-in", email=EMAIL, password=PASSWORD) == 400
    assert other.post("/forgotten-password", email=EMAIL) == 303
    link = peer.link(EMAIL, "/operators/reset")
    assert other.follow(link, new_password=PASSWORD) == 303
    assert other.follow(link, new_password=PASSWORD) == 400
    assert visitor.get("/account") == 303
    sign_in(visitor)
    assert visitor.post("/sign-out") == 303 and visitor.get("/account") == 303
    sign_in(visitor)
    assert visitor.post("/account/delete", password=PASSWORD) == 303
    assert visitor.post("/sign-in", email=EMAIL, password=PASSWORD) == 400
    assert len(peer.requests_by_worker()) == 2
    assert "Traceback" not in peer.log
