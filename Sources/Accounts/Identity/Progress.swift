/// The state of a rule: it has ended with its value, or it waits for password work, which takes milliseconds, or
/// seconds with an imported hash, and runs on another thread.
///
///     operators.register   hash → done
///     operators.signin     verify → done, or verify → hash → done if the password needs a rehash
///     care.user.view       done
///
/// The part of a rule up to such work, or up to its value, is a *phase*. Each phase reads the clock and the store
/// again. The first phase may run ahead of the request's turn. If it asks for password work, it must only read. If it
/// ends, its writes are discarded, and it runs again at its turn.
///
/// The next phase is a function of the work's outcome. It captures only values and gets the account APIs as an
/// argument, so it may run on another thread, and more than once.
package enum Progress<Value> {
    /// The rule has ended with a value.
    case done(Value)
    /// The rule waits for the hash of a password.
    case hash(Password, then: Phase<PasswordHash>)
    /// The rule waits until a password is verified against a hash.
    case verify(Password, against: PasswordHash, then: Phase<Bool>)

    /// A phase that follows password work.
    package typealias Phase<Outcome> = @Sendable (Outcome, AccountAPIs) throws -> Progress

    /// The same progress, with `transform` applied to the final value.
    package func map<Result>(_ transform: @escaping @Sendable (Value) throws -> Result) rethrows -> Progress<Result> {
        switch self {
        case .done(let value): .done(try transform(value))
        case .hash(let password, let next):
            .hash(password) { outcome, apis in try next(outcome, apis).map(transform) }
        case .verify(let password, let hash, let next):
            .verify(password, against: hash) { outcome, apis in try next(outcome, apis).map(transform) }
        }
    }

    /// Runs the rest of the rule on the calling thread and returns its value.
    package func finished(with apis: AccountAPIs) throws -> Value {
        let hasher = apis.environment.hasher
        var progress = self
        while true {
            switch progress {
            case .done(let value): return value
            case .hash(let password, let next): progress = try next(hasher.hash(password), apis)
            case .verify(let password, let hash, let next):
                progress = try next(hasher.verify(password, against: hash), apis)
            }
        }
    }
}
