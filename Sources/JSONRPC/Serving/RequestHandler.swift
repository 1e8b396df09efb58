package import JSON

/// Gives the properties of a request that the scheduler needs before the request is executed. It is used from the
/// loop's thread.
package protocol RequestPolicy: AnyObject {
    /// Whether a request may need slow work that can start ahead of its turn.
    func mayWait(_ request: Request) -> Bool

    /// The id, byte for byte, of the request that a notification cancels; nil if it cancels none.
    func cancelledID(by notification: Request) -> UnsafeRawBufferPointer?

    /// Ends a group: later calls see what other processes have written to the store meanwhile. Not called if the
    /// policy is the handler of an inline executor, whose commit has the same effect.
    func endGroup()

    /// Whether a waiting request can be cancelled. A cancelled request gets no reply; one that no
    /// worker has begun is not executed.
    func isCancellable(_ request: Request) -> Bool

    /// The lane of a request, with replies as completed: requests of one lane keep their order. Two requests about one
    /// account have the same lane; nil means that the request may overtake any other.
    func lane(of request: Request) -> Lane?

    /// Whether a request needs the store. The loop executes one that needs none, also while all workers wait for the
    /// store.
    func needsStore(_ request: Request) -> Bool

    /// Rewrites a connection-level error in the format of the called API.
    func formatted(_ error: RPCError, for request: Request) -> RPCError
}

/// Executes requests. It is used from one thread.
package protocol RequestHandler: RequestPolicy {
    /// Executes a request, or continues it with its next phase, and writes its result as one JSON value. The request's
    /// writes are staged until `commit()`.
    ///
    /// - Parameter phase: the phase that the request's slow work returned; nil for the first phase.
    /// - Returns: the slow work that the request waits for, with nothing staged and no result written; nil if the
    ///   request was executed.
    /// - Throws: the error to reply with.
    func execute(
        _ request: Request,
        from phase: (any RequestPhase)?,
        result: inout JSONWriter
    ) throws(RPCError) -> SlowWork?

    /// Runs the first phase of a request ahead of its turn, and discards everything but the slow work that it waits
    /// for. Nothing is written, not even with an engine that commits each transaction at once.
    ///
    /// - Returns: the slow work; nil if the phase waits for none.
    func lookAhead(_ request: Request) -> SlowWork?

    /// Commits all staged writes and makes them durable.
    func commit() throws(RPCError)

    /// Writes an error in place of the result of a request that was executed, because its commit failed or its result
    /// is too long.
    ///
    /// The error is a part of the result, as for a tool's call, or it is thrown in the format of the called API.
    func writeFailure(_ error: RPCError, of request: Request, result: inout JSONWriter) throws(RPCError)

    /// Discards all staged writes.
    func rollback()
}
