package import Store

extension Session {
    package func validate(into findings: inout RecordFindings) {
        findings.check(realm, account: account)
        findings.check("hash", hash, hexOfBytes: SecretToken.Hash.bytesCount)
        findings.check("number", number)
        findings.check("created", created)
        findings.check("expires", expires)
        if expires > created.adding(seconds: Limits.sessionSeconds) {
            findings.refuse("expires", "more than \(Limits.sessionSeconds) seconds after created")
        }
    }
}

extension PasswordFailures {
    package func validate(into findings: inout RecordFindings) {
        findings.check(realm, account: account)
        findings.check("scope", scope, isOneOf: Lockout.Scope.allCases.map(\.rawValue))
        findings.check("count", count, in: 0...Limits.failedSignInsMax - 1)
        findings.check("locked_until", lockedUntil)
    }
}

extension MailedCode {
    package func validate(into findings: inout RecordFindings) {
        findings.check("purpose", purpose, isOneOf: MailedCodes.Purpose.allCases.map(\.rawValue))
        if purpose == MailedCodes.Purpose.claim.rawValue {
            findings.require("holder", CareShare.self, holder)
            findings.check("realm", realm, isOneOf: [Realm.care.rawValue])
        } else {
            findings.check(realm, account: holder, "holder")
        }
        findings.check("hash", hash, hexOfBytes: SecretToken.Hash.bytesCount)
        findings.check("expires", expires)
        findings.check("tries", tries, in: 0...Limits.codeTriesMax - 1)
    }
}

extension OutboxMail {
    package func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        findings.check("kind", kind, isOneOf: MailKind.allCases.map(\.rawValue))
        findings.check("to", email: to)
        findings.check("created", created)
        findings.check("expires", expires)
        findings.check("next_attempt", nextAttempt)
        findings.check("attempts", attempts, in: 0...Key.numbers.upperBound)
        findings.check("state", state, isOneOf: State.allCases.map(\.rawValue))
        if (state == State.waiting.rawValue) != (nextAttempt != nil) {
            findings.refuse("next_attempt", "only a waiting mail has a next attempt, and each has one")
        }
        for (property, text) in [("subject", subject), ("message_id", messageID)]
        where text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            findings.refuse(property, "holds a control character")
        }
    }
}

extension OutboxText {
    package func validate(into findings: inout RecordFindings) {
        findings.require("id", OutboxMail.self, id)
    }
}

extension MailQuota {
    package func validate(into findings: inout RecordFindings) {
        findings.check("kind", kind, isOneOf: MailKind.allCases.map(\.rawValue))
        if EmailAddress(address)?.canonical != address {
            findings.refuse("address", "not an email address in lower case")
        }
        findings.check("since", since)
        findings.check("count", count, in: 1...Limits.mailsPerKindAndAddressMax)
    }
}
