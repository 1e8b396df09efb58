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
    /// Sends the mails; nil in deterministic mode, where the clock does not run.
    let courier: Courier?
    /// Sends the host what it has not requested, if a server runs the service.
    let host: HostMessages
    let log: Log
    /// Sends the events of the audit trail to the host; nil if it does not get them.
    let events: EventFeed?
    /// The background work of a server. Events come last, because the other work causes some.
    var tasks: [LoopTask] {
        backend.tasks + (courier.map { [$0.sendDue] } ?? []) + (events.map { [$0.push] } ?? [])
    }

    /// - Parameters:
    ///   - hasLoop: whether a server's loop runs the service. Hashing passwords and waiting for the directory lock then
    ///     leave the loop free. Otherwise both are done in place.
    ///   - wakeUp: wakes the loop of the server that runs the service; nil without a server.
    init(_ options: Options, hasLoop: Bool = false, wakeUp: WakeUp? = nil) throws(CommandError) {
        let log = Log(level: options.logLevel)
        let sender = options.mailSender ?? MailSender(hostOf: options.publicURL)
        // Read before the store is opened: a wrong command line must not create a store.
        let templates = try Self.templates(options, domain: sender.domain)
        let settings = AccountSettings(
            operatorsConfirmEmail: options.confirmsEmail,
            passwordPolicy: try Self.passwordPolicy(options),
            sendsNotices: options.sendsNotices,
            auditBounds: options.auditBounds
        )
        let store = try Self.store(options, log, waitsInPlace: !hasLoop)
        let deterministicTime = options.deterministicMode.map { DeterministicTime(startingAt: $0.start) }
        let time: any TimeSource = deterministicTime ?? SystemTime()
        let random: any RandomSource =
            options.deterministicMode.map { DeterministicRandom(seed: $0.seed) } ?? SystemRandom()
        let host = HostMessages(newSecret: { random.hex(bytes: 16) })
        let backend = Backend(
            store: store,
            time: time,
            random: random,
            composer: templates,
            settings: settings,
            log: { log.write(.error, $0) }
        )
        let system = SystemHandlers(
            version: Postern.version,
            storeKind: store.kind,
            settings: ServiceSettings(isAdministered: options.isAdministered, pushesEvents: options.pushesEvents),
            deterministicMode: deterministicTime.map { SystemHandlers.DeterministicMode(time: $0, backend: backend) }
        )
        let service = Service(
            backend: backend,
            system: system,
            hashesElsewhere: hasLoop && deterministicTime == nil,
            tools: options.tools,
            mcpExcludingFlag: options.mail == .host ? "--mail host" : options.pushesEvents ? "--events" : nil,
            refusesUnknownParams: options.refusesUnknownParams
        ) { log.write(.error, $0) }
        let courier =
            deterministicTime != nil
            ? nil
            : Courier(
                store: store,
                outbox: backend.apis.environment.outbox,
                time: time,
                deliveries: options.mail.deliveries(from: sender, by: host) { wakeUp?.send() },
                // The flags that state them are those of a server.
                audit: options.command == .serve ? options.auditBounds : nil,
                log: { log.write(.warning, $0) }
            )
        self.events =
            options.pushesEvents
            ? try Self.eventFeed(of: store, host, from: options.eventStart) { log.write(.error, $0) } : nil
        self.backend = backend
        self.service = service
        self.courier = courier
        self.host = host
        self.log = log
    }

    /// Runs the remaining jobs of requests, sends the mails that are due, and closes the store.
    func finish() {
        backend.finish()
        courier?.finish()
        backend.store.close()
    }

    private static func store(
        _ options: Options,
        _ log: Log,
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
            updateEarlierForms(of: store, log)
            return store
        } catch {
            throw .store(error)
        }
    }

    private static func eventFeed(
        of store: Store,
        _ host: HostMessages,
        from start: EventStart,
        log: @escaping (String) -> Void
    ) throws(CommandError) -> EventFeed {
        do {
            return try EventFeed(store: store, host: host, from: start, log: log)
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

    private static func updateEarlierForms(of store: Store, _ log: Log) {
        do {
            try store.retryWhileLocked { try EarlierForms.update(store) }
        } catch StoreError.readOnly {
            // A process that can only read the store sends no mail and counts no tries, so it needs no update.
        } catch {
            store.discardStaged()
            log.write(.warning, "data of an earlier version could not be updated: \(error)")
        }
    }

    private static func templates(_ options: Options, domain: String) throws(CommandError) -> MessageTemplates {
        do throws(TemplateError) {
            return try MessageTemplates(publicURL: options.publicURL, domain: domain, folder: options.mailTemplates)
        } catch {
            throw .usage("--mail-templates: \(error)")
        }
    }

    private static func passwordPolicy(_ options: Options) throws(CommandError) -> PasswordPolicy {
        var list: PasswordList?
        if let path = options.passwordList {
            do throws(CommandError) {
                list = PasswordList(try TextFile.contents(of: path))
            } catch {
                throw .usage("--password-list: \(error.message)")
            }
        }
        return PasswordPolicy(options.passwordPolicy, charactersMin: options.passwordCharactersMin, list: list)
    }
}
