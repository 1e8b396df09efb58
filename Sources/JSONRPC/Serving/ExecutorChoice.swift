/// What carries out the requests of a server.
package enum ExecutorChoice {
    /// The loop's thread, which commits together what one read brought.
    case inline(any RequestHandler)
    /// So many worker threads, each with a session of its own, made on that thread. The policy is used by the loop.
    case pooled(workers: Int, policy: any RequestPolicy, session: @Sendable () -> WorkerSession)

    var policy: any RequestPolicy {
        switch self {
        case .inline(let handler): handler
        case .pooled(_, let policy, _): policy
        }
    }

    /// - Parameter wake: called on a worker's thread when it has finished something.
    func make(wake: @escaping @Sendable () -> Void) -> any Executor {
        switch self {
        case .inline(let handler): InlineExecutor(handler)
        case .pooled(let workers, _, let session): PooledExecutor(workers: workers, wake: wake, makeSession: session)
        }
    }
}
