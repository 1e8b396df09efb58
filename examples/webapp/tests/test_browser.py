"""The whole story in headless Chromium: two browsers of one person, and two workers of the application."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import test_requests
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from site_under_test import WORKERS, Site

DRIVER, CHROMIUM = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
if (DRIVER is None or CHROMIUM is None) and not os.environ.get("CI"):
    pytest.skip("there is no chromedriver with Chromium; `make webapp-deps` installs them", allow_module_level=True)

OLD, NEW = "lasoren@bu.edu", "luke@example.com"
FIRST, SECOND, THIRD, FOURTH = [f"correct horse battery {word}" for word in ("one", "two", "three", "four")]


class Browser:
    """A browser with its own profile, in which a person fills in forms and presses buttons."""

    def __init__(self, site: Site, profile: Path, agent: str) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM or ""
        for argument in [
            "--headless=new",
            # Chromium's sandbox does not work for root, as whom the tests run in containers.
            "--no-sandbox",
            # The browser reaches no other host, also not for its own updates.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
            "--disable-background-networking",
            f"--user-data-dir={profile}",
            f"--user-agent={agent}",
        ]:
            options.add_argument(argument)
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
        self._site = site
        self._mail = profile.with_suffix(".html")

    def open(self, path: str) -> None:
        self.driver.get(path if path.startswith("http") else self._site.url + path)

    def submit(self, button: str, **fields: str) -> None:
        """Fills in the fields of the form with this button, and presses it."""
        for name, value in fields.items():
            field = self.driver.find_element(By.NAME, name)
            field.clear()
            field.send_keys(value)
        self._click(self.driver.find_element(By.XPATH, f"//button[normalize-space()='{button}']"))

    def _click(self, element: WebElement) -> None:
        """Clicks, and waits for the next page. The click can return before it is shown; it has another `window`."""
        self.driver.execute_script("window.isLeft = true")
        element.click()
        shown = "return window.isLeft === undefined && document.readyState === 'complete'"
        WebDriverWait(self.driver, 30).until(lambda driver: driver.execute_script(shown))

    def read_mail(self, html: str, link: str) -> None:
        """Opens the HTML part of a mail, as a mail program shows it, and clicks a link."""
        self._mail.write_text(html)
        self.driver.get(self._mail.as_uri())
        self.follow(link)

    def follow(self, link: str) -> None:
        self._click(self.driver.find_element(By.LINK_TEXT, link))

    def sign_in(self, email: str, password: str) -> None:
        self.open("/sign-in")
        self.submit("Sign in", email=email, password=password)

    @property
    def title(self) -> str:
        return self.driver.title

    @property
    def message(self) -> str:
        """The notice or the error on the page; empty if there is none."""
        return " ".join(element.text for element in self.driver.find_elements(By.CSS_SELECTOR, "[role]"))

    def texts(self, selector: str) -> list[str]:
        return [element.text for element in self.driver.find_elements(By.CSS_SELECTOR, selector)]


@pytest.fixture
def laptop(site: Site, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(site, tmp_path / "laptop", "Laptop")
    yield browser
    browser.driver.quit()


@pytest.fixture
def phone(site: Site, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(site, tmp_path / "phone", "Phone")
    yield browser
    browser.driver.quit()


def test_the_whole_story(site: Site, laptop: Browser, phone: Browser) -> None:
    sign_up(site, laptop)
    end_the_session_of_the_phone(laptop, phone)
    change_the_password(laptop, phone)
    change_and_restore_the_email(site, laptop, phone)
    reset_the_password(site, laptop)
    delete_the_account(laptop)
    served = site.requests_by_worker()
    assert len(served) == WORKERS and min(served.values()) >= 5, served
    assert "Traceback" not in site.log


def test_an_administrator_disables_an_account(site: Site, laptop: Browser, phone: Browser) -> None:
    for email in (OLD, NEW):
        test_requests.sign_up(site, email)
    site.make_administrator(OLD)
    laptop.sign_in(OLD, test_requests.PASSWORD)
    phone.sign_in(NEW, test_requests.PASSWORD)
    assert phone.title == "Your account" and "Accounts" not in phone.texts("a")
    laptop.follow("Accounts")
    assert len(laptop.texts("tr")) == 3
    laptop.driver.find_element(By.NAME, "search").send_keys("EXAMPLE.com")
    laptop.submit("Search")
    assert [row.split()[0] for row in laptop.texts("tr")[1:]] == [NEW]
    laptop.submit("Disable")
    assert laptop.message == "The account is disabled, and its sessions have ended."
    phone.open("/account")
    assert phone.title == "Sign in"
    phone.submit("Sign in", email=NEW, password=test_requests.PASSWORD)
    assert phone.message.startswith("Email or password is wrong")
    laptop.submit("Enable")
    assert laptop.message == "The account is enabled."
    phone.submit("Sign in", email=NEW, password=test_requests.PASSWORD)
    assert phone.title == "Your account"


def sign_up(site: Site, laptop: Browser) -> None:
    laptop.open("/account/sessions")
    assert laptop.title == "Sign in", "the page of an account needs a session"
    laptop.open("/sign-up")
    person = {"first_name": "Luke", "last_name": "Sorenson", "email": OLD}
    laptop.submit("Create the account", **person, new_password="password")
    assert laptop.message == "Password is too short."
    laptop.submit("Create the account", new_password=FIRST)
    assert laptop.message.startswith("We have sent you a mail")
    laptop.submit("Sign in", email=OLD, password=FIRST)
    assert laptop.message == "Email or password is wrong, or the email is not confirmed."
    laptop.read_mail(site.html(OLD), "Confirm")
    laptop.submit("Confirm")
    assert laptop.message.startswith("Your email is confirmed")
    # A person who opened a page of the account gets there after signing in.
    laptop.open("/account/sessions")
    laptop.submit("Sign in", email=OLD, password=FIRST)
    assert laptop.title == "Your sessions"
    cookie = laptop.driver.get_cookie("__Host-session")
    assert cookie is not None and cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Lax"
    assert laptop.driver.execute_script("return document.cookie") == ""
    laptop.open("/account")
    assert laptop.texts("#email") == [OLD]
    laptop.submit("Save", first_name="Lucas")
    assert laptop.message == "Saved."
    assert laptop.driver.find_element(By.NAME, "first_name").get_attribute("value") == "Lucas"


def end_the_session_of_the_phone(laptop: Browser, phone: Browser) -> None:
    phone.sign_in(OLD, FIRST)
    assert phone.title == "Your account"
    laptop.open("/account/sessions")
    rows = laptop.texts("tr")[1:]
    assert len(rows) == 2
    assert "127.0.0.1 Phone" in rows[0] and "End" in rows[0]
    assert "127.0.0.1 Laptop" in rows[1] and "this one" in rows[1]
    laptop.submit("End")
    assert len(laptop.texts("tr")) == 2
    phone.open("/account")
    assert phone.title == "Sign in" and phone.driver.get_cookie("__Host-session") is None
    phone.sign_in(OLD, FIRST)
    laptop.open("/account/sessions")
    laptop.submit("End all other sessions")
    assert laptop.message == "All other sessions have ended."
    phone.open("/account")
    assert phone.title == "Sign in"


def change_the_password(laptop: Browser, phone: Browser) -> None:
    phone.sign_in(OLD, FIRST)
    laptop.open("/account/password")
    laptop.submit("Change the password", password="not the password", new_password=SECOND)
    assert laptop.message == "Password is incorrect for this account."
    laptop.submit("Change the password", password=FIRST, new_password=SECOND)
    assert laptop.message.startswith("The password is changed")
    phone.open("/account")
    assert phone.title == "Sign in"
    phone.submit("Sign in", email=OLD, password=FIRST)
    assert phone.message == "Email or password is wrong, or the email is not confirmed."


def change_and_restore_the_email(site: Site, laptop: Browser, phone: Browser) -> None:
    laptop.open("/account/email")
    laptop.submit("Mail a link to the new address", password=SECOND, email=NEW)
    assert laptop.message.startswith("We have sent a link to the new address")
    assert laptop.texts("#email") == [OLD]
    # The link needs a session: the phone signs in on the way.
    phone.open(site.link(NEW, "/operators/change-email"))
    assert phone.title == "Sign in"
    phone.submit("Sign in", email=OLD, password=SECOND)
    phone.submit("Change the email")
    assert phone.message == "The email is changed." and phone.texts("#email") == [NEW]
    laptop.open("/account")
    assert laptop.texts("#email") == [NEW]
    laptop.open(site.link(OLD, "/operators/revert-email"))
    laptop.submit("Restore the email", new_password=THIRD)
    assert laptop.message.startswith("Your email is restored")
    phone.open("/account")
    assert phone.title == "Sign in"
    laptop.submit("Sign in", email=OLD, password=THIRD)
    assert laptop.texts("#email") == [OLD]


def reset_the_password(site: Site, laptop: Browser) -> None:
    laptop.submit("Sign out")
    assert laptop.message == "You are signed out." and laptop.driver.get_cookie("__Host-session") is None
    laptop.open("/forgotten-password")
    laptop.submit("Mail me a link", email="nobody@example.com")
    unknown = laptop.message
    laptop.open("/forgotten-password")
    laptop.submit("Mail me a link", email=OLD)
    assert laptop.message == unknown != ""
    link = site.link(OLD, "/operators/reset")
    laptop.open(link)
    laptop.submit("Set the password", new_password=FOURTH)
    assert laptop.message.startswith("Your new password is set")
    laptop.open(link)
    laptop.submit("Set the password", new_password=FIRST)
    assert laptop.message == "This code is not valid, or not any more."
    laptop.sign_in(OLD, FOURTH)
    assert laptop.title == "Your account", laptop.message


def delete_the_account(laptop: Browser) -> None:
    laptop.open("/account/delete")
    laptop.submit("Delete the account", password=FIRST)
    assert laptop.message == "Password is incorrect for this account."
    laptop.submit("Delete the account", password=FOURTH)
    assert laptop.message == "The account is deleted."
    laptop.submit("Sign in", email=OLD, password=FOURTH)
    assert laptop.title == "Sign in" and laptop.message.startswith("Email or password is wrong")
