import Accounts

extension Flag {
    /// The flags of the audit trail.
    static let audit: [Flag] = [
        Flag(
            name: "audit-days",
            value: "NUMBER",
            summary: "how many days the audit trail keeps an event (\(Limits.auditDays))",
            commands: [.serve]
        ) { options, text in
            guard let days = Int(text), (1...36_500).contains(days) else { return false }
            options.auditBounds.days = days
            return true
        },
        Flag(
            name: "audit-max",
            value: "NUMBER",
            summary: "how many events the audit trail keeps (\(Limits.auditEventsMax))",
            commands: [.serve]
        ) { options, text in
            guard let count = Int(text), (1...1_000_000_000).contains(count) else { return false }
            options.auditBounds.eventsMax = count
            return true
        },
        .toggle(
            name: "events",
            summary: "sends the host each event of the audit trail as a notification",
            commands: [.serve]
        ) { options, isOn in options.pushesEvents = isOn }.onlyGiven,
        Flag(
            name: "events-after",
            value: "NUMBER",
            summary:
                "with --events: starts after the event with this number, or with 0 at the earliest (at the next one)",
            commands: [.serve]
        ) { options, text in
            guard let seq = Int(text), seq >= 0 else { return false }
            options.eventsAfter = seq == 0 ? .earliest : .after(seq)
            return true
        }.onlyGiven,
        Flag(
            name: "after",
            value: "NUMBER",
            summary: "shows the events after the one with this number",
            commands: [.audit]
        ) { options, text in
            guard let seq = Int(text), seq >= 0 else { return false }
            options.auditAfter = seq
            return true
        },
        Flag(
            name: "account",
            value: "API:EMAIL|API:NUMBER",
            summary: "shows the events of one account",
            commands: [.audit],
            hint: { _ in "such as care:a@b.co" }
        ) { options, text in
            options.auditAccount = AccountReference(text)
            return options.auditAccount != nil
        },
        .toggle(
            name: "follow",
            summary: "goes on with new events until it is interrupted",
            commands: [.audit]
        ) { options, isOn in options.follows = isOn },
        .toggle(
            name: "json",
            summary: "prints each event as a line of JSON",
            commands: [.audit]
        ) { options, isOn in options.printsJSON = isOn },
    ]
}
