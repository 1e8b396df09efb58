package import Accounts
import JSON
import Store

/// The handlers of the service's own methods.
package struct SystemHandlers {
    /// The parts that the methods of deterministic mode use.
    package struct DeterministicMode {
        /// The clock, which `system.advance_clock` moves.
        package let time: DeterministicTime
        /// The account APIs.
        package let apis: AccountAPIs

        /// - Parameter time: the clock that `backend` uses.
        package init(time: DeterministicTime, backend: Backend) {
            (self.time, apis) = (time, backend.apis)
        }
    }

    /// The parts that the methods of deterministic mode use; nil if the mode is off.
    let deterministicMode: DeterministicMode?
    let version: String
    private let storeKind: String
    private let settings: ServiceSettings
    /// The methods that the process serves.
    var served: ServedMethods {
        ServedMethods(isDeterministic: deterministicMode != nil, isAdministered: settings.isAdministered)
    }

    /// - Parameters:
    ///   - version: the program's version, which `system.info` and MCP's `serverInfo` state.
    ///   - storeKind: the engine's `kind`.
    ///   - settings: what the process's flags change.
    ///   - deterministicMode: what the methods of deterministic mode use; nil if the mode is off.
    package init(
        version: String,
        storeKind: String,
        settings: ServiceSettings = ServiceSettings(),
        deterministicMode: DeterministicMode?
    ) {
        self.version = version
        self.storeKind = storeKind
        self.settings = settings
        self.deterministicMode = deterministicMode
    }

    func discover(to writer: inout JSONWriter) throws {
        OpenRPCDocument.write(to: &writer, serving: served.includes)
    }

    func info(_ params: ServiceWire.InfoParams) throws -> ServiceWire.Info {
        ServiceWire.Info(
            name: "postern",
            version: version,
            methods: served.all.map(\.name.description),
            store: ServiceWire.StoreInfo(kind: storeKind),
            contract: ContractVersion.text,
            apis: Realm.allCases.map(\.rawValue),
            admin: settings.isAdministered,
            events: settings.pushesEvents,
            deterministic: deterministicMode != nil
        )
    }

    func advanceClock(_ params: ServiceWire.AdvanceClockParams) throws {
        guard let deterministicMode, let seconds = params.seconds.value, seconds >= 0,
            deterministicMode.time.advance(seconds: seconds)
        else {
            let expected = params.seconds.expectedType
            throw AccountError(ErrorCode.Service.invalidRequest, field: "seconds", expectedType: expected)
        }
        // Deterministic mode has no background work, and a read must change nothing. So the request that moves the
        // clock deletes expired records.
        let environment = deterministicMode.apis.environment
        let (now, bounds) = (environment.time.now, deterministicMode.apis.sales.settings.auditBounds)
        try AuditTrail.numberEvents(in: environment.store, bounds)
        var hasMore = true
        while hasMore {
            hasMore = try environment.store.write { tx in
                let next = try environment.outbox.sweep(at: now, in: tx)
                return try Sweep.run(at: now, audit: bounds, in: tx)
                    || next.map { $0 <= now } ?? false
            }
        }
    }

    func outbox(_ params: ServiceWire.OutboxParams) throws -> ServiceWire.Outbox {
        guard let environment = deterministicMode?.apis.environment else { return ServiceWire.Outbox(messages: []) }
        let messages = try environment.store.read { tx in
            try environment.outbox.all(in: tx).map { mail in
                let content = try environment.outbox.content(of: mail, in: tx)
                return ServiceWire.OutboxMessage(
                    id: mail.id,
                    to: mail.to,
                    subject: mail.subject,
                    text: content?.text ?? "",
                    html: content?.html,
                    created: mail.created
                )
            }
        }
        return ServiceWire.Outbox(messages: messages)
    }

    func invite(_ params: ServiceWire.InviteParams) throws -> ServiceWire.Invite {
        // Administration has a default role. Its error for an invalid property is the same as the service's.
        guard let apis = deterministicMode?.apis, !params.role.isMissing else {
            throw AccountError(ErrorCode.Service.invalidRequest, field: "role")
        }
        let administration = Administration(apis)
        let invitation = try administration.invite(
            role: params.role,
            uses: params.uses,
            seconds: .absent,
            actor: .absent
        )
        return ServiceWire.Invite(referralCode: invitation.referralCode)
    }
}
