package import Accounts
import JSON
import Store

/// The methods of the service itself.
package struct SystemHandlers {
    /// What only a rehearsal can do.
    package struct Rehearsal {
        /// The clock that can be moved.
        package let time: RehearsedTime
        /// What the APIs are handed.
        package let environment: Environment
        /// What gives out referral codes.
        package let sales: Sales

        package init(time: RehearsedTime, backend: Backend) {
            self.time = time
            self.environment = backend.apis.environment
            self.sales = backend.apis.sales
        }
    }

    /// The rehearsal that is on; nil where the service is real.
    let rehearsal: Rehearsal?
    /// The program's version.
    let version: String
    private let storeKind: String

    package init(version: String, storeKind: String, rehearsal: Rehearsal?) {
        self.version = version
        self.storeKind = storeKind
        self.rehearsal = rehearsal
    }

    func discover(to writer: inout JSONWriter) throws {
        OpenRPCDocument.write(to: &writer) { rehearsal != nil || !$0.isRehearsalOnly }
    }

    func info(_ params: ServiceWire.InfoParams) throws -> ServiceWire.Info {
        ServiceWire.Info(
            name: "postern",
            version: version,
            methods: Method.allCases.filter { rehearsal != nil || !$0.isRehearsalOnly }.map { $0.name.description },
            store: ServiceWire.StoreInfo(kind: storeKind)
        )
    }

    func advanceClock(_ params: ServiceWire.AdvanceClockParams) throws {
        guard let rehearsal, let seconds = params.seconds.value, seconds >= 0, rehearsal.time.advance(seconds: seconds)
        else {
            let expected = params.seconds.expectedType
            throw AccountError(ErrorCode.Service.invalidRequest, field: "seconds", expectedType: expected)
        }
        // In deterministic mode nothing happens beside the requests, so what expires is deleted by the one that moves the
        // clock: a read must change nothing.
        let environment = rehearsal.environment
        let now = environment.time.now
        var hasMore = true
        while hasMore {
            hasMore = try environment.store.write { tx in
                let next = try environment.outbox.sweep(at: now, in: tx)
                return try Sweep.run(at: now, in: tx) || next.map { $0 <= now } ?? false
            }
        }
    }

    func outbox(_ params: ServiceWire.OutboxParams) throws -> ServiceWire.Outbox {
        guard let environment = rehearsal?.environment else { return ServiceWire.Outbox(messages: []) }
        let messages = try environment.store.read { tx in
            try environment.outbox.all(in: tx).map { mail in
                ServiceWire.OutboxMessage(
                    id: mail.id,
                    to: mail.to,
                    subject: mail.subject,
                    text: try environment.outbox.text(of: mail, in: tx) ?? "",
                    created: mail.created
                )
            }
        }
        return ServiceWire.Outbox(messages: messages)
    }

    func invite(_ params: ServiceWire.InviteParams) throws -> ServiceWire.Invite {
        guard let role = params.role.value.flatMap({ SalesRole(rawValue: $0) }), let sales = rehearsal?.sales else {
            let expected = params.role.expectedType
            throw AccountError(ErrorCode.Service.invalidRequest, field: "role", expectedType: expected)
        }
        let uses: Int
        switch params.uses {
        case .absent, .null: uses = 1
        case .value(let count) where Accounts.Limits.invitationUses.contains(count): uses = count
        default:
            let expected = params.uses.expectedType
            throw AccountError(ErrorCode.Service.invalidRequest, field: "uses", expectedType: expected)
        }
        return ServiceWire.Invite(referralCode: try sales.invite(role, uses: uses))
    }
}
