package import Store

extension Session {
    package func validate(into findings: inout RecordFindings) {
        findings.check(realm, account: account)
        findings.check("hash", hash, hexOfBytes: SecretToken.Hash.bytesCount)
        findings.check("number", number)
        findings.check("created", created)
        findings.check("expires", expires)
        findings.check("last_used", lastUsed)
        if expires > created.adding(seconds: Limits.sessionSeconds) {
            findings.refuse("expires", "more than \(Limits.sessionSeconds) seconds after created")
        }
    }
}

extension AccountDeletion {
    package func validate(into findings: inout RecordFindings) {
        findings.check("realm", realm, isOneOf: Realm.allCases.map(\.rawValue))
        findings.check("account", account)
        findings.check("address", email: address)
    }
}

extension PasswordFailures {
    package func validate(into findings: inout RecordFindings) {
        findings.check(realm, account: account)
        findings.check("scope", scope, isOneOf: Lockout.Scope.allCases.map(\.rawValue))
        failures.validate(into: &findings)
    }
}

extension UnknownFailures {
    package func validate(into findings: inout RecordFindings) {
        findings.check("realm", realm, isOneOf: Realm.allCases.map(\.rawValue))
        findings.check("slot", slot, in: 0...Limits.unknownAddressSlotsMax - 1)
        findings.check("subject", subject, hexOfBytes: AddressHash.bytesCount)
        failures.validate(into: &findings)
    }
}

extension FailureCount {
    fileprivate func validate(into findings: inout RecordFindings) {
        findings.check("count", count, in: 0...Limits.failedSignInsMax - 1)
        findings.check("last", last)
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
        if isUsed, MailedCodes.Purpose(rawValue: purpose)?.isRepeatable == false {
            findings.refuse("is_used", "a used code for \(purpose) is deleted")
        }
    }
}

extension EmailChange {
    package func validate(into findings: inout RecordFindings) {
        findings.check(realm, account: account)
        findings.check("email", email: email)
        findings.check("expires", expires)
    }
}

extension EmailReversal {
    package func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        findings.check(realm, account: account)
        findings.check("email", email: email)
        findings.check("hash", hash, hexOfBytes: SecretToken.Hash.bytesCount)
        findings.check("expires", expires)
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

extension DeletionNotice {
    package func validate(into findings: inout RecordFindings) {
        findings.require("mail", OutboxMail.self, mail)
    }
}

extension MailQuota {
    package func validate(into findings: inout RecordFindings) {
        findings.check("ends", ends)
        findings.check("slot", slot ?? 0, in: 0...Limits.unknownAddressSlotsMax - 1)
        if kind == Self.toOthers {
            findings.check("count", count, in: 1...Limits.mailsToOthersMax)
            let parts = subject.split(separator: " ", omittingEmptySubsequences: false)
            if parts.count == 2, let account = Int(parts[1]), subject == "\(parts[0]) \(account)" {
                findings.check(String(parts[0]), account: account, "subject")
            } else {
                findings.refuse("subject", "not the API and number of an account")
            }
        } else {
            findings.check("kind", kind, isOneOf: MailKind.allCases.map(\.rawValue) + [Self.toOthers])
            findings.check("count", count, in: 1...Limits.mailsPerKindAndAddressMax)
            findings.check("subject", subject, hexOfBytes: AddressHash.bytesCount)
        }
    }
}

extension DecoyMail {
    package func validate(into findings: inout RecordFindings) {
        findings.check("kind", kind, isOneOf: MailKind.allCases.map(\.rawValue))
        findings.check("hash", hash, hexOfBytes: SecretToken.Hash.bytesCount)
    }
}

extension HashKey {
    package func validate(into findings: inout RecordFindings) {
        findings.check("number", number, in: 1...1)
        findings.check("secret", secret, hexOfBytes: 16)
    }
}
