#!/usr/bin/env python3
"""Imports users with bcrypt from a CSV file, and signs each of them in: csv_users.py BINARY [COUNT]

The file has COUNT (1,000) users. Their hashes have the lowest cost of bcrypt, 4, so that making them takes seconds. Each
tenth user has no password.
"""

import csv
import os
import sys
import tempfile

import bcrypt

from users import Store


def create(count, path):
    """Writes the file, and returns the emails and passwords."""
    users = [(f"user{number}@example.org", f"pässword {number}" if number % 10 else None) for number in range(1, count + 1)]
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["first_name", "last_name", "email", "password_hash", "confirmed"])
        for email, password in users:
            hash = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode() if password else ""
            rows.writerow(["Zoë", 'O"Brien, jun.', email, hash, ""])
    return users


def main():
    binary, count = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "users.csv")
        users, store = create(count, path), Store(binary, os.path.join(folder, "store"))
        output, errors = store.import_users("csv", path)
        mistakes = store.sign_in(users) + (not output.startswith(f"imported: {count} accounts")) + (errors != "")
        # A user without a password has a hash with the service's parameters too.
        rehashed = store.rehashed()
    print(f"{count} users with bcrypt from CSV: {mistakes} mistakes, {rehashed} with Argon2id")
    sys.exit(mistakes != 0 or rehashed != count)


main()
