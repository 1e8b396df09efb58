import Accounts
import JSONRPC
import Mail
import Service
import Store
import Platform

/// Everything wired up over one store.
struct Wiring {
    let backend: Backend
    let service: Service
    /// Nil in a rehearsal, where time does not pass by itself.
    let courier: Courier?
    let log: Log
    /// The background work of a server.
    var tasks: [LoopTask] { backend.tasks + (courier.map { [$0.sendDue] } ?? []) }

    /// - Parameters:
    ///   - hashesElsewhere: whether requests wait for password work, rather than do it in place.
    ///   - wakeUp: what ends the wait of the server that runs the service; nil where there is none.
    init(_ options: Options, hashesElsewhere: Bool = false, wakeUp: WakeUp? = nil) throws(CommandError) {
        let log = Log(level: options.logLevel)
        let sender = options.mailSender ?? MailSender(hostOf: options.publicURL)
        // Before the store, which a wrong command line is not to make.
        let templates = try Self.templates(options, domain: sender.domain)
        let store = try Self.store(options, log, waitsInPlace: !hashesElsewhere)
        let rehearsedTime = options.rehearsal.map { RehearsedTime(startingAt: $0.start) }
        let time: any TimeSource = rehearsedTime ?? SystemTime()
        let backend = Backend(
            store: store,
            time: time,
            random: options.rehearsal.map { RehearsedRandom(seed: $0.seed) } ?? SystemRandom(),
            composer: templates,
            settings: AccountSettings(operatorsConfirmEmail: options.confirmsEmail),
            log: { log.write(.error, $0) }
        )
        let system = SystemHandlers(
            version: Postern.version,
            storeKind: store.kind,
            rehearsal: rehearsedTime.map { SystemHandlers.Rehearsal(time: $0, backend: backend) }
        )
        let service = Service(
            backend: backend,
            system: system,
            hashesElsewhere: hashesElsewhere && rehearsedTime == nil,
            tools: options.tools,
            refusesUnknownParams: options.refusesUnknownParams
        ) { log.write(.error, $0) }
        let courier =
            rehearsedTime != nil
            ? nil
            : Courier(
                store: store,
                outbox: backend.apis.environment.outbox,
                time: time,
                driver: options.mail.driver,
                sender: sender,
                log: { log.write(.warning, $0) },
                wake: { wakeUp?.send() }
            )
        self.backend = backend
        self.service = service
        self.courier = courier
        self.log = log
    }

    /// Does what requests left to be done, sends the mails that are due, and closes the store.
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
        // A store in memory is always new: it has nothing to merge or to update.
        if options.data == ":memory:" { return Store(engine: LocalEngine()) }
        var settings = options.store
        settings.waitsInPlace = waitsInPlace
        settings.personalCollections = { RecordTypes.personal }
        do throws(StoreError) {
            // In a command a wrong path is a mistake; a server may be the first to use its directory.
            settings.makesStore = options.command == .serve
            let engine = try LocalEngine(directory: options.data, settings: settings) { log.write(.warning, $0) }
            let store = Store(engine: engine)
            updateEarlierForms(of: store, log)
            return store
        } catch {
            throw .store(error)
        }
    }

    private static func updateEarlierForms(of store: Store, _ log: Log) {
        do {
            try store.retryWhileLocked { try EarlierForms.update(store) }
        } catch StoreError.readOnly {
            // Who can only read the store sends no mail and counts nothing.
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
}
