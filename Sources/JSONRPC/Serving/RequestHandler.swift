package import JSON

/// What answers requests. It is used from one thread.
package protocol RequestHandler: AnyObject {
    /// Carries out a request, or the next phase of it, and writes its result as one value. What it did stays staged until
    /// `commit()`.
    ///
    /// - Parameters:
    ///   - phase: what slow work gave for the request; nil begins it.
    /// - Returns: the slow work that the request waits for; nothing is staged then, and what is written is no result. Nil
    ///   where it was carried out.
    /// - Throws: the error that is answered.
    func handle(
        _ request: Request,
        from phase: (any RequestPhase)?,
        result: inout JSONWriter
    ) throws(RPCError) -> SlowWork?

    /// Whether a request may ask for slow work, so that asking ahead of its turn is worth the while.
    func mayWait(_ request: Request) -> Bool

    /// The id, as it was written, of the request that a notification takes back; nil where it takes back none.
    func cancelledID(by notification: Request) -> UnsafeRawBufferPointer?

    /// Whether a request may be taken back while it waits: it is not carried out then, and gets no answer.
    func isCancellable(_ request: Request) -> Bool

    /// What requests must not overtake each other in, where replies go as completed; nil for those that may overtake
    /// any. Two requests about one account have the same lane.
    func lane(of request: Request) -> Lane?

    /// Makes all that was done durable.
    func commit() throws(RPCError)

    /// An error of the connection's own, which knows not what was asked for, as it reads for the one who asked.
    func shaped(_ error: RPCError, for request: Request) -> RPCError

    /// Ends a request that was carried out and whose result cannot go out, because it could not be committed or is too
    /// long: throws the error in the format of the called API, or writes a result that holds it.
    func end(_ request: Request, with error: RPCError, result: inout JSONWriter) throws(RPCError)

    /// Takes back all that was done since the last `commit()` that returned.
    func rollback()
}

/// Work that takes milliseconds, done off the handler's thread. It gives the phase with which the request goes on; nil
/// begins it anew.
package typealias SlowWork = @Sendable () -> (any RequestPhase)?

/// The part of a request that follows slow work, as its handler knows it. A phase may be run again.
///
/// A class, as every request is handed one or none, and nothing need be looked up to copy a reference.
package protocol RequestPhase: AnyObject, Sendable {}

/// An account, for the purpose of order.
package struct Lane: Hashable, Sendable {
    /// What tells it from others.
    package let name: String

    package init(_ name: String) {
        self.name = name
    }

    /// The one lane of replies in order.
    static let only = Lane("")
}
