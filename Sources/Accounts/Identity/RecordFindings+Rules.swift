import Store

// An import or a check validates records with the same rules as requests, by calling those rules.

extension RecordFindings {
    /// Reports a value that a rule of requests refuses or would store in another form.
    ///
    /// - Parameter rule: the rule. It returns the value that a request would store.
    package mutating func check<Value: Equatable>(
        _ property: String,
        _ value: Value,
        _ rule: (Given<Value>) throws -> Value?
    ) {
        do {
            if try rule(.value(value)) != value { refuse(property, "not in the form that is stored") }
        } catch let error as AccountError {
            refuse(property, error.codes[0].slug)
        } catch {
            refuse(property, "\(error)")
        }
    }

    /// Like the function above, for a value that may be absent.
    package mutating func check<Value: Equatable>(
        _ property: String,
        _ value: Value?,
        _ rule: (Given<Value>) throws -> Value?
    ) {
        if let value { check(property, value, rule) }
    }

    /// Reports a text that is not one of `words`.
    package mutating func check(_ property: String, _ value: String, isOneOf words: [String]) {
        if !words.contains(value) { refuse(property, "none of \(words.joined(separator: ", "))") }
    }

    /// Reports an address that no mail can be sent to, or that has spaces around it.
    package mutating func check(_ property: String, email value: String) {
        if EmailAddress(value)?.text != value { refuse(property, "not an email address") }
    }

    /// Reports a hash that no password can be verified against.
    package mutating func check(_ property: String, hash value: String) {
        if !Argon2idHasher.canVerify(PasswordHash(text: value)) {
            refuse(property, "not a password hash of a known form with limited cost")
        }
    }

    /// Reports a time that the service cannot have stored.
    package mutating func check(_ property: String, _ time: Timestamp?) {
        guard let time else { return }
        // Keys contain times as whole seconds, so these have a range.
        check(property, time.seconds, in: Self.seconds, rule: "not a time between 1970 and 2200")
    }

    /// Reports a text that is not a UUID in lower case.
    package mutating func check(_ property: String, uuid value: String) {
        let parts = value.split(separator: "-", omittingEmptySubsequences: false)
        let isForm = parts.map(\.utf8.count) == [8, 4, 4, 4, 12]
        check(property, parts.joined(), hexOfBytes: 16)
        if !isForm { refuse(property, "not a UUID") }
    }

    /// Reports a text that is not `count` bytes in lower-case hexadecimal.
    package mutating func check(_ property: String, _ value: String, hexOfBytes count: Int) {
        let isHex = value.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
        if !isHex || value.utf8.count != 2 * count { refuse(property, "not \(count) bytes in hexadecimal") }
    }

    /// Reports an unknown realm, or a reference to an account that does not exist.
    package mutating func check(_ realm: String, account: Int, _ property: String = "account") {
        guard let known = Realm(rawValue: realm) else {
            check(property, account)
            refuse("realm", "none of \(Realm.allCases.map(\.rawValue).joined(separator: ", "))")
            return
        }
        known.require(property, account, into: &self)
    }

    /// From 1970 to the expiry of a session that is opened at the latest time of the clock.
    private static let seconds = 0...DeterministicTime.latest.adding(seconds: Limits.sessionSeconds).seconds
}
