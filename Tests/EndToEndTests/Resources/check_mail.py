"""Reads mails with a strict parser, and prints each as a line of JSON, as a mail program would show it.

Usage: check_mail.py FILE... Exits 1 at a mail that violates RFC 5322.
"""

import email
import email.policy
import json
import sys

for name in sys.argv[1:]:
    raw = open(name, "rb").read()
    for line in raw.split(b"\n")[:-1]:
        assert line.endswith(b"\r"), "a line does not end with CRLF"
        assert len(line) <= 999, "a line is too long"
    assert raw.endswith(b"\r\n") and all(byte < 128 for byte in raw)
    message = email.message_from_bytes(raw, policy=email.policy.strict)
    assert not message.defects, message.defects
    for header in ("Date", "From", "To", "Subject", "Message-ID"):
        assert len(message.get_all(header, [])) == 1, header
        assert not message[header].defects, (header, message[header].defects)
    assert message["Date"].datetime.tzinfo is not None
    text, html = message, None
    if message.is_multipart():
        assert message.get_content_type() == "multipart/alternative"
        text, html = message.iter_parts()
        assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
        for part in (text, html):
            assert not part.defects, part.defects
        assert message.get_body(("html",)) is html and message.get_body(("plain",)) is text
    print(
        json.dumps(
            {
                "from": [str(address) for address in message["From"].addresses],
                "to": [str(address) for address in message["To"].addresses],
                "subject": str(message["Subject"]),
                "id": message["Message-ID"].strip(),
                "text": text.get_content().replace("\r\n", "\n"),
                "html": html and html.get_content().replace("\r\n", "\n"),
            }
        )
    )
