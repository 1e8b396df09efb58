import Accounts
import Glibc
import JSON
import JSONRPC
import Mail
import Service
import Store
import Synchronization

extension Options.Command {
    func run(_ options: Options) throws(CommandError) {
        switch self {
        case .help: print(Options.help)
        case .version: print("postern \(Postern.version)")
        case .schema: print(OpenRPCDocument.text.description)
        case .serve: try runServer(options)
        case .call: try callMethod(options)
        case .invite: try giveInvitation(options)
        case .outbox: try showOutbox(options)
        case .stats: try showStatistics(options)
        }
    }
}

/// Everything wired up over one store.
struct Wiring {
    let backend: Backend
    let service: Service

    init(_ options: Options) throws(CommandError) {
        let store: Store
        do throws(StoreError) {
            let engine =
                options.data == ":memory:"
                ? LocalEngine() : try LocalEngine(directory: options.data, log: { StandardError.write(line: $0) })
            store = Store(engine: engine)
        } catch {
            throw .failed("\(error)")
        }
        var settings = Backend.Settings()
        settings.operatorsConfirmEmail = options.confirmsEmail
        let rehearsedTime = options.rehearsal.map { RehearsedTime(startingAt: $0.start) }
        let host = options.publicURL.split(separator: "/").dropFirst().first.map { String($0) } ?? "localhost"
        let backend = Backend(
            store: store,
            time: rehearsedTime ?? SystemTime(),
            random: options.rehearsal.map { RehearsedRandom(seed: $0.seed) } ?? SystemRandom(),
            composer: MessageTemplates(publicURL: options.publicURL, domain: host),
            hashesElsewhere: options.rehearsal == nil && options.command == .serve,
            settings: settings
        )
        let system = SystemHandlers(
            version: Postern.version,
            storeKind: store.kind,
            rehearsal: rehearsedTime.map { SystemHandlers.Rehearsal(time: $0, backend: backend) }
        )
        self.backend = backend
        service = Service(backend: backend, system: system) { StandardError.write(line: "postern: \($0)") }
    }
}

/// Whether SIGTERM has come.
private let isTerminated = Atomic(false)
private let wakeUp = WakeUp()

private func runServer(_ options: Options) throws(CommandError) {
    let wiring = try Wiring(options)
    // A stray print must not break the stream: replies go to a descriptor of their own, and 1 is stderr from now on.
    let output = fcntl(1, F_DUPFD_CLOEXEC, 3)
    guard output >= 0, dup2(2, 1) >= 0 else { throw .failed("stdout cannot be used") }
    if isatty(0) == 1 {
        StandardError.write(
            line: "postern: the store is \(options.data); type one JSON-RPC request a line, end with ^D"
        )
    }
    _ = wakeUp
    signal(SIGTERM) { _ in
        isTerminated.store(true, ordering: .releasing)
        wakeUp.send()
    }
    Server(
        input: 0,
        output: output,
        handler: wiring.service,
        order: options.order,
        wakeUp: wakeUp,
        isStopped: { isTerminated.load(ordering: .acquiring) }
    ).run()
    wiring.backend.store.close()
}

private func callMethod(_ options: Options) throws(CommandError) {
    guard let method = options.words.first, options.words.count <= 2 else {
        throw .usage("call takes a method and, if it likes, its params as JSON")
    }
    let wiring = try Wiring(options)
    let params: JSONValue
    do throws(JSONError) {
        params = try JSONValue(parsing: options.words.count == 2 ? options.words[1] : "{}")
    } catch {
        throw .usage("the params are not JSON: \(error.reason.rawValue) at byte \(error.offset)")
    }
    let request: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": params]
    let answer = Server.answer(to: request, by: wiring.service)
    wiring.backend.store.close()
    if let error = answer["error"] { throw .failed(error.prettyText) }
    print((answer["result"] ?? .null).prettyText)
}

private func giveInvitation(_ options: Options) throws(CommandError) {
    let backend = try Wiring(options).backend
    do {
        let code = try backend.sales.invite(options.role)
        try backend.store.makeDurable()
        print(code)
    } catch {
        throw .failed("\(error)")
    }
    backend.store.close()
}

private func showOutbox(_ options: Options) throws(CommandError) {
    let (store, outbox) = try { options throws(CommandError) in
        let backend = try Wiring(options).backend
        return (backend.store, backend.environment.outbox)
    }(options)
    let lines: [String]
    do {
        lines = try store.transact { tx in
            switch (options.words.first, options.words.count) {
            case ("list", 1):
                return try outbox.all(in: tx).map { "\($0.id)\t\($0.created)\t\($0.state)\t\($0.to)\t\($0.subject)" }
            case ("show", 2):
                guard let id = Int(options.words[1]), let mail = try outbox.mail(id, in: tx) else {
                    throw CommandError.failed("there is no mail \(options.words[1])")
                }
                let text = try outbox.text(of: mail, in: tx) ?? "(erased)"
                return ["To: \(mail.to)", "Subject: \(mail.subject)", "", text]
            default:
                throw CommandError.usage("outbox takes list, or show and a mail's number")
            }
        }
    } catch let error as CommandError {
        throw error
    } catch {
        throw .failed("\(error)")
    }
    store.close()
    for line in lines { print(line) }
}

private func showStatistics(_ options: Options) throws(CommandError) {
    let store = try Wiring(options).backend.store
    let statistics = store.statistics()
    store.close()
    print("store         \(statistics.kind)")
    print("transactions  \(statistics.transactions)")
    print("journal       \(statistics.journalBytes) bytes")
    for collection in statistics.collections { print("\(collection.name): \(collection.records)") }
}
