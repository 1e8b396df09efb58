package import JSON

/// What answers requests. It is used from one thread.
package protocol RequestHandler: AnyObject {
    /// Carries out a request and writes its result as one value. What it did stays staged until `commit()`.
    ///
    /// - Parameters:
    ///   - run: what is known from earlier runs of the same request.
    /// - Throws: `.refused` for an error that is answered, `.waits` where slow work must be done first; then nothing has
    ///   been done, and the request is run again with the work's outcome.
    func handle(_ request: Request, run: any RequestRun, result: inout JSONWriter) throws(RequestInterruption)

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

    /// Sees to what goes on beside requests, and commits it.
    ///
    /// - Returns: in how many milliseconds it wants to be called again; nil for not before a request or a wake-up.
    func tend() -> Int?
}

/// Why a request was not carried out.
package enum RequestInterruption: Error {
    case refused(RPCError)
    /// The work runs on another thread; it leaves its outcome where the next run of the request finds it.
    case waits(SlowWork)
}

/// Work that takes milliseconds, done off the handler's thread; its outcome is handed to the request's next run.
package typealias SlowWork = @Sendable () -> any Sendable

/// What one request's runs have found out so far. A request is run again when work that it waits for is done.
package protocol RequestRun: AnyObject {
    /// The outcomes of slow work, in the order in which it was asked for.
    var outcomes: [any Sendable] { get set }
    /// What the handler keeps from one run to the next.
    var memory: AnyObject? { get set }
}

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
