#!/usr/bin/env python3
"""Writes vectors.json: password hashes that other programs make, for the tests of imported hashes.

Each vector has the name and version of its program, the call that made it, the password and the hash. The salts are
random, so each run writes other hashes. `make hash-vectors` runs it, with the packages of requirements.txt and with
Debian's php-cli, whois (mkpasswd) and openssl.
"""

import base64
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess

import argon2
import bcrypt
import django
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings
from passlib import hash as passlib
from werkzeug.security import generate_password_hash

HERE = os.path.dirname(os.path.abspath(__file__))
PASSWORDS = ["correct horse", "pässwörd ✓"]
VECTORS = []


def add(program, call, make):
    for password in PASSWORDS:
        VECTORS.append({"program": program, "call": call, "password": password, "hash": make(password)})


def package(name):
    return f"{name} {importlib.metadata.version(name)}"


def run(*command, stdin=""):
    return subprocess.run(command, input=stdin, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def php(expression, password):
    return run("php", "-r", f"$p = stream_get_contents(STDIN); echo {expression};", stdin=password)


def argon2_vectors():
    for kind in (argon2.Type.ID, argon2.Type.I):
        for time, memory, lanes in ((3, 65536, 4), (1, 8192, 1), (2, 64, 8)):
            hasher = argon2.PasswordHasher(time, memory, lanes, type=kind)
            call = f"PasswordHasher({time}, {memory}, {lanes}, type=Type.{kind.name}).hash(password)"
            add(package("argon2-cffi"), call, hasher.hash)


def bcrypt_vectors():
    for prefix in (b"2a", b"2b"):
        call = f"hashpw(password, gensalt(4, {prefix!r}))"
        add(package("bcrypt"), call, lambda p: bcrypt.hashpw(p.encode(), bcrypt.gensalt(4, prefix)).decode())
    version = "PHP " + run("php", "-r", "echo PHP_VERSION;")
    add(version, "password_hash($p, PASSWORD_BCRYPT)", lambda p: php("password_hash($p, PASSWORD_BCRYPT)", p))
    for prefix in ("2x", "2y"):
        expression = f"crypt($p, '${prefix}$04$abcdefghijklmnopqrstuu')"
        add(version, expression, lambda p: php(expression, p))
    # As wp_hash_password of WordPress 6.8.
    expression = "'$wp' . password_hash(base64_encode(hash_hmac('sha384', trim($p), 'wp-sha384', true)), PASSWORD_BCRYPT)"
    add(version, expression, lambda p: php(expression, p))


def django_vectors():
    settings.configure(
        PASSWORD_HASHERS=[
            "django.contrib.auth.hashers." + name
            for name in (
                "PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher",
                "BCryptSHA256PasswordHasher", "BCryptPasswordHasher", "ScryptPasswordHasher",
            )
        ]
    )
    django.setup()
    from django.contrib.auth.hashers import get_hasher, make_password

    add(package("Django"), "make_password(password)", make_password)
    for name in ("argon2", "bcrypt_sha256", "bcrypt", "scrypt"):
        hasher = get_hasher(name)
        if "bcrypt" in name:
            hasher.rounds = 4
        call = f'make_password(password, hasher="{name}")' + (" with rounds = 4" if "bcrypt" in name else "")
        add(package("Django"), call, lambda p: make_password(p, hasher=hasher))
    for name in ("pbkdf2_sha256", "pbkdf2_sha1"):
        hasher = get_hasher(name)
        call = f'get_hasher("{name}").encode(password, hasher.salt(), 2000)'
        add(package("Django"), call, lambda p: hasher.encode(p, hasher.salt(), 2000))
    # A hasher with SHA-512, as a project adds one.
    hasher = get_hasher("pbkdf2_sha256")
    hasher.algorithm, hasher.digest = "pbkdf2_sha512", hashlib.sha512
    call = 'PBKDF2PasswordHasher with digest = sha512: encode(password, hasher.salt(), 2000)'
    add(package("Django"), call, lambda p: hasher.encode(p, hasher.salt(), 2000))


def passlib_vectors():
    for name, hasher in (
        ("pbkdf2_sha1", passlib.pbkdf2_sha1.using(rounds=1000)),
        ("pbkdf2_sha256", passlib.pbkdf2_sha256),
        ("pbkdf2_sha512", passlib.pbkdf2_sha512),
        ("pbkdf2_sha256", passlib.pbkdf2_sha256.using(rounds=1, salt_size=64)),
        ("scrypt", passlib.scrypt),
        ("scrypt", passlib.scrypt.using(rounds=4, block_size=2, parallelism=3)),
        ("phpass", passlib.phpass.using(rounds=8)),
        ("md5_crypt", passlib.md5_crypt),
        ("sha256_crypt", passlib.sha256_crypt.using(rounds=6000)),
        ("sha512_crypt", passlib.sha512_crypt.using(rounds=12345)),
    ):
        rounds = getattr(hasher, "default_rounds", None)
        call = f"{name}.hash(password)" + (f" with {rounds} rounds" if rounds else "")
        add(package("passlib"), call, hasher.hash)


def werkzeug_vectors():
    for method in ("scrypt", "scrypt:1024:4:2", "pbkdf2:sha256:2000", "pbkdf2:sha512:1000", "pbkdf2:sha1:1000"):
        call = f'generate_password_hash(password, "{method}")'
        add(package("Werkzeug"), call, lambda p: generate_password_hash(p, method))


def hashlib_vectors():
    """PHC strings of PBKDF2, as the crate pbkdf2 of RustCrypto and the package @phc/pbkdf2 write them."""

    def phc(function, password, length=""):
        salt = os.urandom(16)
        key = hashlib.pbkdf2_hmac(function, password.encode(), salt, 1000)
        encode = lambda code: base64.b64encode(code).decode().rstrip("=")
        return f"$pbkdf2-{function}$i=1000{length}${encode(salt)}${encode(key)}"

    version = "Python " + platform.python_version()
    for function, length in (("sha1", ""), ("sha256", ",l=32"), ("sha512", "")):
        call = f'hashlib.pbkdf2_hmac("{function}", password, salt, 1000) as a PHC string'
        add(version, call, lambda p: phc(function, p, length))


def firebase_vectors():
    """The function of github.com/firebase/scrypt, which no maintained package has."""

    def make(password, cost, rounds):
        signer_key, salt, separator = os.urandom(64), os.urandom(10), b"\7"
        key = hashlib.scrypt(password.encode(), salt=salt + separator, n=2**cost, r=rounds, p=1, dklen=32, maxmem=2**26)
        cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        texts = separator, signer_key, salt, cipher.update(signer_key) + cipher.finalize()
        separator, signer_key, salt, code = (base64.b64encode(text).decode() for text in texts)
        return f"$fbscrypt$v=1,n={cost},r={rounds},p=1,ss={separator},sk={signer_key}${salt}${code}"

    for cost, rounds in ((14, 8), (10, 2), (1, 1)):
        call = f"AES-256 in counter mode with hashlib.scrypt, mem_cost {cost}, rounds {rounds}"
        add(package("cryptography"), call, lambda p: make(p, cost, rounds))


def crypt_vectors():
    version = run("mkpasswd", "--version").splitlines()[0]
    for options in (
        ["-m", "md5crypt"], ["-m", "sha256crypt"], ["-m", "sha512crypt"], ["-m", "sha512crypt", "-R", "1000"],
        ["-m", "yescrypt"], ["-m", "yescrypt", "-R", "1"], ["-m", "yescrypt", "-R", "7"],
        ["-m", "bcrypt", "-R", "5"], ["-m", "bcrypt-a", "-R", "5"],
    ):
        call = " ".join(["mkpasswd", *options, "--stdin"])
        add(version, call, lambda p: run("mkpasswd", *options, "--stdin", stdin=p))
    version = run("openssl", "version")
    for option in ("-1", "-5", "-6"):
        call = f"openssl passwd {option} -stdin"
        add(version, call, lambda p: run("openssl", "passwd", option, "-stdin", stdin=p))


def main():
    argon2_vectors()
    bcrypt_vectors()
    django_vectors()
    passlib_vectors()
    werkzeug_vectors()
    hashlib_vectors()
    firebase_vectors()
    crypt_vectors()
    with open(os.path.join(HERE, "vectors.json"), "w", encoding="utf-8") as file:
        json.dump(VECTORS, file, ensure_ascii=False, indent=1)
        file.write("\n")


main()
