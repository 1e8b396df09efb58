import Accounts
import Mail
import Service
import Store

/// What the threads of a process have in common that execute requests. Each of them has a store, a backend and a
/// service of its own.
struct ServiceParts: Sendable {
    private(set) var time: any TimeSource & Sendable
    let random: any RandomSource & Sendable
    let settings: AccountSettings
    let sender: MailSender
    let mail: MailRoute
    let log: Log
    /// The clock of deterministic mode; nil if the mode is off.
    let deterministicTime: DeterministicTime?
    private let templates: MessageTemplates
    private let sessionUses = SessionUses()
    private var isRemote = false
    private let hasLoop: Bool
    private let serviceSettings: ServiceSettings
    private let tools: ToolSelection
    private let mcpExcludingFlag: String?
    private let mcpHandshake = MCPHandshake()
    private let refusesUnknownParams: Bool

    /// - Parameter hasLoop: whether a server's loop runs the service.
    init(_ options: Options, hasLoop: Bool, _ log: Log) throws(CommandError) {
        sender = options.mailSender ?? MailSender(hostOf: options.publicURL)
        mail = try Self.mailRoute(options, log)
        templates = try Self.templates(options, domain: sender.domain)
        settings = AccountSettings(
            operatorsConfirmEmail: options.confirmsEmail,
            passwordPolicy: try Self.passwordPolicy(options),
            sendsNotices: options.sendsNotices,
            auditBounds: options.auditBounds
        )
        deterministicTime = options.deterministicMode.map { DeterministicTime(startingAt: $0.start) }
        time = deterministicTime ?? SystemTime()
        random = options.deterministicMode.map { DeterministicRandom(seed: $0.seed) } ?? SystemRandom()
        serviceSettings = ServiceSettings(
            isAdministered: options.isAdministered,
            pushesEvents: options.pushesEvents
        )
        tools = options.tools
        mcpExcludingFlag = mail == .host ? "--mail host" : options.pushesEvents ? "--events" : nil
        refusesUnknownParams = options.refusesUnknownParams
        (self.hasLoop, self.log) = (hasLoop, log)
    }

    /// The same parts for a store on a server, whose clock counts.
    func using(_ remote: RemoteStore) -> ServiceParts {
        var parts = self
        parts.isRemote = true
        parts.time = deterministicTime ?? remote.time
        return parts
    }

    /// The account APIs over a store.
    func backend(over store: Store) -> Backend {
        Backend(
            store: store,
            time: time,
            random: random,
            composer: templates,
            settings: settings,
            isRemote: isRemote,
            sessionUses: sessionUses,
            log: { [log] in log.write(.error, $0) }
        )
    }

    /// The service over a backend.
    func service(over backend: Backend) -> Service {
        let system = SystemHandlers(
            version: Postern.version,
            storeKind: backend.store.kind,
            settings: serviceSettings,
            deterministicMode: deterministicTime.map { SystemHandlers.DeterministicMode(time: $0, backend: backend) }
        )
        return Service(
            backend: backend,
            system: system,
            hashesElsewhere: hasLoop && deterministicTime == nil,
            tools: tools,
            mcpExcludingFlag: mcpExcludingFlag,
            mcpHandshake: mcpHandshake,
            refusesUnknownParams: refusesUnknownParams
        ) { [log] in log.write(.error, $0) }
    }

    /// Sends the mails in the outbox of a backend; nil in deterministic mode, where the clock does not run.
    ///
    /// - Parameter audit: how long the audit trail is; nil for a command, whose flags do not state it.
    func courier(over backend: Backend, _ deliveries: (any Deliveries)?, audit: AuditBounds?) -> Courier? {
        guard deterministicTime == nil else { return nil }
        return Courier(
            store: backend.store,
            outbox: backend.apis.environment.outbox,
            time: time,
            deliveries: deliveries,
            audit: audit,
            lookSeconds: isRemote ? Mail.Limits.remoteLookSeconds : Mail.Limits.lookSeconds,
            log: { [log] in log.write(.warning, $0) }
        )
    }

    private static func mailRoute(_ options: Options, _ log: Log) throws(CommandError) -> MailRoute {
        do throws(CommandError) {
            return try options.mailRoute
        } catch {
            // An administrator must be able to look at the outbox and the accounts of a server whose mail does not
            // work.
            let needsRoute = options.command == .serve || options.command == .outbox && options.words[0] == "deliver"
            guard !needsRoute else { throw error }
            log.write(.warning, "mails stay in the outbox: \(error.message)")
            return .keep
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
