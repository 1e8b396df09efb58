/// What a call, or starting Postern, may end with.
///
///     do {
///         try await postern.operators.signin(email: email, password: password)
///     } catch .call(let error) where error.slug == ErrorSlug.Operators.wrongPassword {
///         …
///     }
///
/// This is for a function that `throws(PosternError)`. In one that `throws`, end with `catch { throw error }`: without
/// it the compilers of Swift 6.3 crash at a `catch` with a `where`.
public enum PosternError: Error, Equatable, Sendable {
    /// The service answered with an error.
    case call(CallError)
    /// The process has ended while it was needed.
    case processEnded(ProcessEnded)
    /// The call came after `close`.
    case clientClosed
    /// The task was cancelled; whether the call took effect is not known.
    case cancelled
    /// The request is longer than the service takes; nothing was sent.
    case messageTooLong(bytes: Int, bytesMax: Int)
    /// What was given as params is no JSON text that the service could read: it is malformed, holds half of a surrogate
    /// pair, or is nested too deep. What is wrong, and where; nothing was sent.
    case malformedParams(String)
    /// What came is no reply as JSON-RPC has it, which ends the client; or a result without what its method promises,
    /// which does not.
    case protocolViolation(String)
    /// There is no program; all places where it was looked for.
    case binaryNotFound(places: [String])
    /// The program could not be started; what the system says.
    case notStarted(String)
}

extension PosternError: CustomStringConvertible {
    /// What went wrong, in a sentence or more.
    public var description: String {
        switch self {
        case .call(let error): error.description
        case .processEnded(let end): end.description
        case .clientClosed: "This client is closed."
        case .cancelled: "The call was cancelled; it may still take effect."
        case .messageTooLong(let bytes, let bytesMax):
            "The request has \(bytes) bytes, and Postern takes \(bytesMax) at the most; it was not sent."
        case .malformedParams(let text): "The params are no JSON text that Postern reads, and were not sent: \(text)"
        case .protocolViolation(let text): text
        case .binaryNotFound(let places):
            "There is no postern program to run; looked for: \(places.joined(separator: ", "))"
        case .notStarted(let text): "Postern could not be started: \(text)"
        }
    }
}

extension PosternError {
    /// The error as what a call of that method came to.
    func answering(_ method: String) -> PosternError {
        guard case .call(let error) = self else { return self }
        return .call(error.answering(method))
    }
}
