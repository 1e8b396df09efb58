import Accounts
import JSON
import Platform
import Service
import Store

extension Command {
    /// Prints the events of the audit trail, and with `--follow` those that follow, until it is interrupted.
    func showAudit(_ options: Options) throws(CommandError) {
        let store = try Wiring(options).backend.store
        defer { store.close() }
        let account = try Self.account(options.auditAccount, in: store)
        var after = options.auditAfter
        while true {
            try Self.numberEvents(options, in: store)
            let events = try Self.events(account, after: &after, in: store)
            try Self.print(events, asJSON: options.printsJSON)
            if events.count == Self.eventsPerRead { continue }
            guard options.follows else { return }
            Thread.sleep(microseconds: Self.lookMicroseconds)
        }
    }

    private static let eventsPerRead = 1_000
    private static let lookMicroseconds = 200_000

    /// The API and number of the account whose events are shown; nil for all accounts.
    private static func account(
        _ reference: AccountReference?,
        in store: Store
    ) throws(CommandError) -> (realm: Realm, number: Int)? {
        guard let reference else { return nil }
        guard let number = try read(store, { try reference.number(in: $0) }) else {
            throw .failed("there is no such account")
        }
        return (reference.realm, number)
    }

    /// The next events.
    ///
    /// - Parameter seq: the number after which to read; then that after which to read on.
    private static func events(
        _ account: (realm: Realm, number: Int)?,
        after seq: inout Int?,
        in store: Store
    ) throws(CommandError) -> [Event] {
        let start = seq
        let page = try read(store) { tx in
            try account.map { try AuditTrail.page(of: $0, after: start, limit: eventsPerRead, in: tx) }
                ?? AuditTrail.page(after: start, limit: eventsPerRead, in: tx)
        }
        seq = page.next
        return page.events
    }

    private static func numberEvents(_ options: Options, in store: Store) throws(CommandError) {
        do {
            try AuditTrail.numberEvents(in: store, options.auditBounds)
        } catch {
            throw .failed("\(error)")
        }
    }

    private static func read<Value>(_ store: Store, _ body: (Transaction) throws -> Value) throws(CommandError) -> Value
    {
        do {
            let value = try store.read(body)
            // Events of another process may be in the journal and not yet durable.
            try store.makeDurable()
            return value
        } catch let gone as EventsGone {
            throw .failed("events up to \(gone.through) were deleted because of their age or number")
        } catch let ahead as EventsAhead {
            throw .failed("the last event of this store has number \(ahead.last); is it an earlier copy?")
        } catch let error as StoreError {
            throw .store(error)
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Prints one line per event: JSON, or columns separated by tabs.
    private static func print(_ events: [Event], asJSON: Bool) throws(CommandError) {
        var output: [UInt8] = []
        for event in events {
            var writer = JSONWriter()
            event.write(to: &writer)
            output += asJSON ? writer.take() : Array(event.columns.utf8)
            output.append(UInt8(ascii: "\n"))
        }
        try OutputFile.standardOutput.write(output)
    }
}

extension Event {
    /// Number, time, account, kind, cause, address and detail.
    fileprivate var columns: String {
        let account = account.map { "\(api):\($0)" } ?? "\(api):-"
        let cause = detail?.actor.map { "\(by) (\($0))" } ?? by
        return [String(seq), "\(time)", account, kind, cause, ip ?? "-", detail?.words ?? "-"].joined(separator: "\t")
    }
}

extension EventDetail {
    fileprivate var words: String {
        let numbers = [
            ("session", session), ("client", client), ("patient", patient), ("share", share), ("mail", mail),
            ("invitation", invitation),
        ]
        let named = numbers.compactMap { name, number in number.map { "\(name) \($0)" } }
        return (named + [mailKind, change].compactMap { $0 }).joined(separator: ", ")
    }
}
