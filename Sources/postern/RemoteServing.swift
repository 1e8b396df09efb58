import Accounts
import JSONRPC
import Mail
import Platform
import Service
import Store

/// The threads of a server whose store is on another machine: workers that execute requests, and one for background
/// work. The loop waits for none of them.
struct RemoteServing {
    /// The workers.
    let executor: ExecutorChoice
    /// What the loop does for the background work: it exchanges messages with the host.
    let tasks: [LoopTask]
    private let thread: TaskThread

    /// - Parameters:
    ///   - service: the loop's own, which answers what needs no store.
    ///   - loop: wakes the loop.
    init(
        _ remote: RemoteStore,
        _ parts: ServiceParts,
        _ options: Options,
        _ service: Service,
        _ host: HostMessages,
        loop: WakeUp
    ) throws(CommandError) {
        guard let wakeUp = WakeUp() else {
            throw .failed("no file descriptor is free: raise the limit on file descriptors (ulimit -n)")
        }
        executor = .pooled(workers: options.connections, handler: service) {
            let backend = parts.backend(over: Store(engine: remote.makeEngine()))
            return WorkerSession(handler: parts.service(over: backend), tasks: backend.tasks) {
                backend.finish()
                backend.store.close()
            }
        }
        let thread = TaskThread(wakeUp: wakeUp)
        self.thread = thread
        var tasks: [LoopTask] = []
        let relay = DeliveryRelay(wakeCourier: thread.wake, wakeLoop: loop.send)
        let (mail, bounds) = (parts.mail, options.auditBounds)
        if mail == .host { tasks.append(relay.task(over: HostDeliveries(by: host))) }
        let events = RemoteEvents(wakeReader: thread.wake, wakeLoop: loop.send)
        if options.pushesEvents {
            let store = Store(engine: remote.makeEngine())
            defer { store.close() }
            let cursor = try Wiring.eventCursor(of: options.eventStart, in: store)
            tasks.append(
                EventFeed(from: events, after: cursor, to: host) { [log = parts.log] in log.write(.error, $0) }.push
            )
        }
        self.tasks = tasks
        let isStarted = thread.start {
            let backend = parts.backend(over: Store(engine: remote.makeEngine()))
            let deliveries =
                mail == .host ? relay.deliveries : mail.deliveries(from: parts.sender, wake: thread.wake)
            let courier = parts.courier(over: backend, deliveries, audit: bounds)
            let number: LoopTask = {
                backend.numberEvents() ? 0 : Accounts.Limits.eventNumberingMilliseconds
            }
            let read: LoopTask = {
                events.read(from: backend.store, bounds)
                return nil
            }
            return (
                backend.tasks + (courier.map { [$0.sendDue] } ?? []) + [number, read],
                {
                    backend.finish()
                    courier?.finish()
                    backend.store.close()
                }
            )
        }
        guard isStarted else { throw .failed("no thread can be started: raise the limit on processes (ulimit -u)") }
    }

    /// Ends the background work. The workers have ended.
    func finish() {
        // The outcomes of the last deliveries.
        for task in tasks { _ = task() }
        thread.finish()
    }
}
