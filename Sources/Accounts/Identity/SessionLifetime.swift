/// How long the session lasts that a request opens, as its host states it.
package struct SessionLifetimeFields: Sendable {
    /// The seconds until the session expires.
    package let seconds: Given<Int>
    /// The seconds without a request after which the session expires.
    package let idleSeconds: Given<Int>

    /// The host states nothing.
    package static let absent = SessionLifetimeFields(seconds: .absent, idleSeconds: .absent)

    package init(seconds: Given<Int>, idleSeconds: Given<Int>) {
        self.seconds = seconds
        self.idleSeconds = idleSeconds
    }
}

/// How long a session lasts.
package struct SessionLifetime: Sendable {
    /// The seconds from its opening until it expires.
    let seconds: Int
    /// The seconds without a request after which it expires; nil if it may be idle for any time.
    let idleSeconds: Int?

    /// The lifetime of a session whose host does not state one.
    package static let standard = SessionLifetime(seconds: Limits.sessionSeconds, idleSeconds: nil)

    init(seconds: Int, idleSeconds: Int?) {
        self.seconds = seconds
        self.idleSeconds = idleSeconds
    }

    /// - Parameter invalid: returns the API's error for an invalid property, by its path and the expected JSON type.
    init(
        _ given: SessionLifetimeFields,
        orThrow invalid: (_ field: String, _ expectedType: String?) -> AccountError
    ) throws {
        func checked(_ given: Given<Int>, _ field: String) throws -> Int? {
            switch given {
            case .absent, .null: return nil
            case .value(let seconds) where Self.range.contains(seconds): return seconds
            case .value, .mistyped: throw invalid(field, given.expectedType)
            }
        }
        seconds = try checked(given.seconds, "session_seconds") ?? Limits.sessionSeconds
        idleSeconds = try checked(given.idleSeconds, "idle_seconds")
    }

    /// The valid seconds of both properties.
    static let range = Limits.sessionSecondsMin...Limits.sessionSeconds
}

extension Session {
    /// How long it was to last when it was opened.
    var lifetime: SessionLifetime {
        SessionLifetime(seconds: created.seconds(until: expires), idleSeconds: idleSeconds)
    }
}
