/// Which threads execute a server's requests.
package enum ExecutorChoice {
    /// The loop's thread executes requests. It commits them in groups.
    case inline(any RequestHandler)
    /// Worker threads execute requests. Each thread makes and uses its own session. The loop uses the policy. No
    /// command uses it at present: the engines of this package do not wait for a server.
    case pooled(workers: Int, policy: any RequestPolicy, session: @Sendable () -> WorkerSession)

    var policy: any RequestPolicy {
        switch self {
        case .inline(let handler): handler
        case .pooled(_, let policy, _): policy
        }
    }

    /// - Parameter wake: called on a worker's thread when it has finished a phase of a request.
    func make(wake: @escaping @Sendable () -> Void) -> any Executor {
        switch self {
        case .inline(let handler): InlineExecutor(handler)
        case .pooled(let workers, _, let session): PooledExecutor(workers: workers, wake: wake, makeSession: session)
        }
    }
}
