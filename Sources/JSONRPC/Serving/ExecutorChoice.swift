/// Which threads execute a server's requests.
package enum ExecutorChoice {
    /// The loop's thread executes requests. It commits them in groups.
    case inline(any RequestHandler)
    /// Worker threads execute requests. Each thread makes and uses its own session. The loop uses `handler` as the
    /// policy, and to execute the requests that need no store.
    case pooled(workers: Int, handler: any RequestHandler, session: @Sendable () -> WorkerSession)

    var policy: any RequestPolicy {
        switch self {
        case .inline(let handler): handler
        case .pooled(_, let handler, _): handler
        }
    }

    /// - Parameter wake: called on a worker's thread when it has finished a phase of a request.
    func make(wake: @escaping @Sendable () -> Void) -> any Executor {
        switch self {
        case .inline(let handler): InlineExecutor(handler)
        case .pooled(let workers, let handler, let session):
            PooledExecutor(workers: workers, handler: handler, wake: wake, makeSession: session)
        }
    }
}
