import Accounts

extension Flag {
    /// The flags of administration.
    static let administration: [Flag] = [
        .toggle(
            name: "admin",
            summary: "serves the methods of administration, admin.*, too",
            commands: [.serve, .call]
        ) { options, isOn in options.isAdministered = isOn }.onlyGiven,
        Flag(
            name: "search",
            value: "TEXT",
            summary: "lists only accounts whose email or name contains a text",
            commands: [.account]
        ) { options, text in
            options.search = text
            return true
        },
        Flag(
            name: "actor",
            value: "NAME",
            summary: "who asks for the operation; the audit trail shows it",
            commands: [.account, .outbox, .invite]
        ) { options, text in
            options.actor = text
            return AdminRules.isActor(text)
        },
    ]
}
