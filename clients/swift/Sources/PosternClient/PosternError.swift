/// An error of a call, or of starting Postern.
///
///     do {
///         try await postern.operators.signin(email: email, password: password)
///     } catch .call(let error) where error.slug == ErrorSlug.Operators.wrongPassword {
///         …
///     }
///
/// This example is for a function that `throws(PosternError)`. In a function that `throws`, end with
/// `catch { throw error }`: without it, the compilers of Swift 6.3 crash at a `catch` with a `where`.
public enum PosternError: Error, Equatable, Sendable {
    /// The service replied with an error.
    case call(CallError)
    /// The process ended before the client was closed.
    case processEnded(ProcessEnded)
    /// The call was made after `close`.
    case clientClosed
    /// The task was cancelled; whether the call took effect is not known.
    case cancelled
    /// The request is longer than the service accepts; nothing was sent.
    case messageTooLong(bytes: Int, bytesMax: Int)
    /// The params are not JSON text that the service can parse: they are malformed, contain half of a surrogate pair,
    /// are nested too deep, or an object in a `JSONObject` has a property twice. Has the fault and its position.
    /// Nothing was sent.
    case malformedParams(String)
    /// A line of output is not a JSON-RPC reply, which ends the client; or a result does not match the contract, which
    /// fails only its call.
    case protocolViolation(String)
    /// The program took events so slowly that later ones were dropped. Has the number of the last event that was
    /// delivered, or that the client was opened with. A new client with `.after` gets the others.
    case eventsLost(after: Int?)
    /// The client was opened without `events`.
    case noEvents
    /// The binary was not found. Has all places where the client looked.
    case binaryNotFound(places: [String])
    /// The process could not be started. Has the system's message.
    case notStarted(String)
}

extension PosternError: CustomStringConvertible {
    /// The error in one or more sentences.
    public var description: String {
        switch self {
        case .call(let error): error.description
        case .processEnded(let end): end.description
        case .clientClosed: "This client is closed."
        case .cancelled: "The call was cancelled; it may still take effect."
        case .messageTooLong(let bytes, let bytesMax):
            "The request has \(bytes) bytes, and Postern accepts at most \(bytesMax); it was not sent."
        case .malformedParams(let text): "The params are not JSON text that Postern accepts, and were not sent: \(text)"
        case .protocolViolation(let text): text
        case .eventsLost(let number):
            "Events were dropped after number \(number.map(String.init) ?? "-"), because the program did not take them."
        case .noEvents: "This client gets no events: open it with `events`."
        case .binaryNotFound(let places):
            "The postern binary was not found; looked for: \(places.joined(separator: ", "))"
        case .notStarted(let text): "Postern could not be started: \(text)"
        }
    }
}

extension PosternError {
    /// The error as the outcome of a call of a method.
    func answering(_ method: String) -> PosternError {
        guard case .call(let error) = self else { return self }
        return .call(error.answering(method))
    }
}
