#!/usr/bin/env python3
"""Imports the users of a Django project, and signs each of them in: django_users.py BINARY [COUNT]

Django creates COUNT (1,000) users in a database of SQLite with its default hasher, a user without a password and an inactive
user. `postern import --from django` reads the output of `manage.py dumpdata auth.User`.
"""

import os
import sys
import tempfile

import django
from django.conf import settings

from users import Store


def create(count, folder):
    """Creates the users, and returns the path of their export, their emails and passwords, and the hasher."""
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(folder, "db.sqlite3")}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
    )
    django.setup()
    from django.contrib.auth.models import Group, User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    names = {"first_name": "Zoë", "last_name": 'O"Brien, jun.'}
    for number in range(1, count + 1):
        user = User.objects.create_user(f"user{number}", f"user{number}@example.org", f"pässword {number}", **names)
    hasher = user.password.split("$")[0]
    User.objects.create_user("federated", "federated@example.org", None, **names)
    User.objects.create_user("inactive", "inactive@example.org", "pässword", is_active=False, **names)
    user.groups.add(Group.objects.create(name="staff"))
    path = os.path.join(folder, "users.json")
    call_command("dumpdata", "auth.User", "auth.Group", output=path, verbosity=0)
    users = [(f"user{number}@example.org", f"pässword {number}") for number in range(1, count + 1)]
    return path, users + [("federated@example.org", None)], hasher


def main():
    binary, count = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    with tempfile.TemporaryDirectory() as folder:
        path, users, hasher = create(count, folder)
        store = Store(binary, os.path.join(folder, "store"))
        output, errors = store.import_users("django", path, "--skip-invalid")
        is_imported = output.startswith(f"imported: {count + 1} accounts") and "not imported: 1" in output
        is_imported = is_imported and len(errors.splitlines()) == 1 and "is_active" in errors
        mistakes = store.sign_in(users + [("inactive@example.org", None)]) + (not is_imported)
        # The user without a password has a hash with the service's parameters too.
        rehashed = store.rehashed() - 1
    print(f"{count} users of Django {django.get_version()} with {hasher}: {mistakes} mistakes, {rehashed} rehashed")
    sys.exit(mistakes != 0 or rehashed != count)


main()
