import DirectoryStore
import Accounts
import JSONRPC
import Mail
import Service
import Store
import Platform

/// The service and its parts, connected to one store.
struct Wiring {
    let backend: Backend
    let service: Service
    /// Sends the mails; nil in deterministic mode, where the clock does not run, and if another thread sends them.
    let courier: Courier?
    /// Sends the host what it has not requested, if a server runs the service.
    let host: HostMessages
    let log: Log
    /// Which threads execute a server's requests.
    let executor: ExecutorChoice
    /// The background work of a server.
    let tasks: [LoopTask]
    /// The other threads of a server whose store is remote.
    private let remote: RemoteServing?

    /// - Parameters:
    ///   - hasLoop: whether a server's loop runs the service. Hashing passwords and waiting for the directory lock then
    ///     leave the loop free. Otherwise both are done in place.
    ///   - wakeUp: wakes the loop of the server that runs the service; nil without a server.
    init(_ options: Options, hasLoop: Bool = false, wakeUp: WakeUp? = nil) throws(CommandError) {
        let log = Log(level: options.logLevel)
        // Read before the store is opened: a wrong command line must not create a store.
        let ownParts = try ServiceParts(options, hasLoop: hasLoop, log)
        let remoteStore = try RemoteStore.open(options, log)
        let parts = remoteStore.map { ownParts.using($0) } ?? ownParts
        let store: Store
        if let remoteStore {
            store = Store(engine: remoteStore.makeEngine())
        } else {
            store = try Self.store(options, log, parts.random, waitsInPlace: !hasLoop)
        }
        let backend = parts.backend(over: store)
        let service = parts.service(over: backend)
        let random = parts.random
        let host = HostMessages(newSecret: { random.hex(bytes: 16) })
        if hasLoop, let remoteStore, let wakeUp {
            let remote = try RemoteServing(remoteStore, parts, options, service, host, loop: wakeUp)
            (courier, executor, tasks, self.remote) = (nil, remote.executor, remote.tasks, remote)
        } else {
            let deliveries = parts.mail.deliveries(from: parts.sender, by: host) { wakeUp?.send() }
            let courier = parts.courier(
                over: backend,
                deliveries,
                audit: options.command == .serve ? options.auditBounds : nil
            )
            var tasks = backend.tasks
            if let courier { tasks.append(courier.sendDue) }
            if options.pushesEvents {
                let cursor = try Self.eventCursor(of: options.eventStart, in: store)
                let feed = EventFeed(from: StoreEvents(store), after: cursor, to: host) { log.write(.error, $0) }
                // Events come last, because the other work causes some.
                tasks.append(feed.push)
            }
            (self.courier, executor, self.tasks, remote) = (courier, .inline(service), tasks, nil)
        }
        self.backend = backend
        self.service = service
        self.host = host
        self.log = log
    }

    /// Runs the remaining jobs of requests, sends the mails that are due, and closes the store.
    func finish() {
        if let remote {
            remote.finish()
        } else {
            backend.finish()
            courier?.finish()
        }
        backend.store.close()
    }

    private static func store(
        _ options: Options,
        _ log: Log,
        _ random: any RandomSource,
        waitsInPlace: Bool
    ) throws(CommandError) -> Store {
        // A store in memory is always new: it needs no compaction and no update of earlier data.
        if options.data == ":memory:" { return Store(engine: LocalEngine()) }
        var settings = options.store
        settings.waitsInPlace = waitsInPlace
        settings.personalCollections = { RecordTypes.personal }
        do throws(StoreError) {
            // For a command, a path without a store is a mistake; a server creates its store.
            settings.makesStore = options.command == .serve
            let engine = try LocalEngine(directory: options.data, settings: settings) { log.write(.warning, $0) }
            let store = Store(engine: engine)
            updateEarlierForms(of: store, log, random)
            return store
        } catch {
            throw .store(error)
        }
    }

    /// The number after which the host's events start.
    static func eventCursor(of start: EventStart, in store: Store) throws(CommandError) -> Int {
        do {
            return try EventFeed.cursor(of: start, in: store)
        } catch let gone as EventsGone {
            throw .failed(
                "--events-after: events up to number \(gone.through) were deleted because of their age or number; 0 "
                    + "starts with the earliest that is left"
            )
        } catch let ahead as EventsAhead {
            throw .failed(
                "--events-after: the last event of this store has number \(ahead.last); is it an earlier copy?"
            )
        } catch let error as StoreError {
            throw .store(error)
        } catch {
            throw .failed("\(error)")
        }
    }

    private static func updateEarlierForms(of store: Store, _ log: Log, _ random: any RandomSource) {
        do {
            try store.retryWhileLocked { try EarlierForms.update(store, newKey: { random.hex(bytes: 16) }) }
        } catch StoreError.readOnly {
            // A process that can only read the store sends no mail and counts no tries, so it needs no update.
        } catch {
            store.discardStaged()
            log.write(.warning, "data of an earlier version could not be updated: \(error)")
        }
    }
}
