import Accounts
import JSON
import JSONRPC

/// The phase of a request that follows the hashing or verification of a password.
final class HashedPhase: RequestPhase {
    /// Continues the request: writes its result, or returns the further slow work that it waits for.
    let run: @Sendable (Service, inout JSONWriter) throws -> SlowWork?

    init(_ run: @escaping @Sendable (Service, inout JSONWriter) throws -> SlowWork?) {
        self.run = run
    }
}

extension Service {
    /// Writes the value of a method that is done, or returns the password hashing that it waits for.
    ///
    /// - Parameter write: writes the method's value as its result.
    func write<Value>(
        _ progress: Progress<Value>,
        to result: inout JSONWriter,
        _ write: @escaping @Sendable (Value, inout JSONWriter) -> Void
    ) throws -> SlowWork? {
        switch progress {
        case .done(let value):
            write(value, &result)
            return nil
        case _ where !hashesElsewhere:
            write(try progress.finished(with: apis), &result)
            return nil
        case .hash(let password, let next):
            let hasher = apis.environment.hasher
            return Self.work({ try hasher.hash(password) }, then: next, write)
        case .verify(let password, let hash, let next):
            let hasher = apis.environment.hasher
            return Self.work({ try hasher.verify(password, against: hash) }, then: next, write)
        }
    }

    private static func work<Outcome: Sendable, Value>(
        _ work: @escaping @Sendable () throws -> Outcome,
        then next: @escaping Progress<Value>.Phase<Outcome>,
        _ write: @escaping @Sendable (Value, inout JSONWriter) -> Void
    ) -> SlowWork {
        {
            let outcome = Result { try work() }
            return HashedPhase { service, result in
                try service.write(next(outcome.get(), service.apis), to: &result, write)
            }
        }
    }
}
