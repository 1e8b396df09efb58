import JSON
internal import Platform
package import Store

extension Session {
    package func validate(into findings: inout RecordFindings) {
        findings.check(realm, account: account)
        findings.check("hash", hash, hexOfBytes: SecretToken.Hash.bytesCount)
        findings.check("number", number)
        findings.check("created", created)
        findings.check("expires", expires)
        findings.check("last_used", lastUsed)
        findings.check(ip: ip)
        findings.check(agent: agent)
        findings.check("idle_seconds", idleSeconds ?? SessionLifetime.range.lowerBound, in: SessionLifetime.range)
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
        findings.check("next_event", nextEvent, in: Key.numbers)
        findings.check("last_event", lastEvent ?? 0, in: Key.numbers)
        // The clients that remain refer to the operator.
        if realm == Realm.operators.rawValue { findings.reportSubstitute(for: Operator.self, account) }
    }
}

extension AccountMetadata {
    package func validate(into findings: inout RecordFindings) {
        findings.check(realm, account: account)
        for (property, object) in [("metadata", metadata), ("app_metadata", appMetadata)] where !object.isMetadata {
            let bounds = "\(Limits.metadataBytesMax) bytes or \(Limits.metadataDepthMax) nesting levels"
            findings.refuse(property, "more than \(bounds)")
        }
    }
}

extension PasswordFailures {
    package func validate(into findings: inout RecordFindings) {
        findings.check(realm, account: account)
        findings.check("scope", scope, isOneOf: Lockout.Scope.allCases.map(\.rawValue))
        let max = Lockout.Scope(rawValue: scope)?.failuresMax ?? Limits.failedSignInsMax
        failures.validate(into: &findings, max: max)
    }
}

extension NetworkSignIns {
    package func validate(into findings: inout RecordFindings) {
        findings.check(realm, account: account)
        failures.validate(into: &findings, max: Limits.failedSignInsMax)
        findings.check("signed_in", signedIn)
        let address = network.hasSuffix("/64") ? String(network.dropLast(3)) : network
        if InternetAddress(address)?.network != network { findings.refuse("network", "not the network of an address") }
    }
}

extension UnknownFailures {
    package func validate(into findings: inout RecordFindings) {
        findings.check("realm", realm, isOneOf: Realm.allCases.map(\.rawValue))
        findings.check("slot", slot, in: 0...Limits.unknownAddressSlotsMax - 1)
        findings.check("subject", subject, hexOfBytes: KeyedHash.bytesCount)
        failures.validate(into: &findings, max: Limits.failedSignInsFromAnywhereMax)
    }
}

extension FailureCount {
    /// - Parameter max: the number of failures that leads to a lock.
    fileprivate func validate(into findings: inout RecordFindings, max: Int) {
        findings.check("count", count, in: 0...max - 1)
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
        // The account may be deleted: the notice of its deletion stays until it is delivered.
        if let account { findings.check("account", account) }
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
            let kinds = MailKind.allCases.map(\.rawValue) + [Self.toOthers, Self.requests]
            findings.check("kind", kind, isOneOf: kinds)
            let max = kind == Self.requests ? Limits.requestsPerAddressMax : Limits.mailsPerKindAndAddressMax
            findings.check("count", count, in: 1...max)
            findings.check("subject", subject, hexOfBytes: KeyedHash.bytesCount)
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

extension Event {
    package func validate(into findings: inout RecordFindings) {
        findings.check("seq", seq)
        findings.check("time", time)
        findings.check("api", api, isOneOf: Realm.allCases.map(\.rawValue))
        // The account may be deleted.
        if let account { findings.check("account", account) }
        findings.check("kind", kind, isOneOf: EventKind.allCases.map(\.rawValue))
        findings.check("by", by, isOneOf: AuditTrail.Source.allCases.map(\.rawValue))
        findings.check(ip: ip)
        findings.check(agent: agent)
        detail?.validate(into: &findings)
    }
}

extension UnnumberedEvent {
    package func validate(into findings: inout RecordFindings) {
        var numbered = event
        numbered.seq = 1
        numbered.validate(into: &findings)
    }
}

extension EventDetail {
    fileprivate func validate(into findings: inout RecordFindings) {
        let numbers = [
            ("session", session), ("client", client), ("patient", patient), ("share", share), ("mail", mail),
            ("invitation", invitation),
        ]
        for case (let property, let number?) in numbers { findings.check("detail.\(property)", number) }
        if let mailKind { findings.check("detail.mail_kind", mailKind, isOneOf: MailKind.allCases.map(\.rawValue)) }
        if let change { findings.check("detail.change", change, isOneOf: EventChange.allCases.map(\.rawValue)) }
        if let actor, !AdminRules.isActor(actor) {
            findings.refuse("detail.actor", "longer than \(Limits.nameCharactersMax) characters, or not a line of text")
        }
    }
}

extension RecordFindings {
    /// Reports an address that is not in its normal form.
    fileprivate mutating func check(ip: String?) {
        guard let ip, InternetAddress(ip)?.text != ip else { return }
        refuse("ip", "not an IP address in its normal form")
    }

    fileprivate mutating func check(agent: String?) {
        guard let agent, !agent.hasAtMost(scalars: Limits.agentCharactersMax) || !agent.isPlainLine else { return }
        refuse("agent", "longer than \(Limits.agentCharactersMax) characters, or holds a control character")
    }
}

extension UnknownEvents {
    package func validate(into findings: inout RecordFindings) {
        findings.check("number", number, in: 1...1)
        findings.check("used", used, in: 0...Key.numbers.upperBound)
    }
}

extension EventsDeleted {
    package func validate(into findings: inout RecordFindings) {
        findings.check("number", number, in: 1...1)
        findings.check("through", through)
    }
}
