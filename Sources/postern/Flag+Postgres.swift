extension Flag {
    /// The flags for a store in a database.
    static let postgres: [Flag] = [
        Flag(
            name: "connections",
            value: "NUMBER",
            summary:
                "how many connections the server has to the database, for as many requests at a time (2 per processor)",
            commands: [.serve]
        ) { options, text in
            guard let number = Int(text), (1...1_000).contains(number) else { return false }
            options.connections = number
            return true
        },
        Flag(
            name: "store-timeout",
            value: "SECONDS",
            summary: "how long a transaction in the database, or the wait for a connection, may take (10)",
            commands: Command.onStore
        ) { options, text in
            guard let seconds = Int(text), (1...3_600).contains(seconds) else { return false }
            options.storeTimeoutSeconds = seconds
            return true
        },
        .toggle(
            name: "no-prepared",
            summary: "sends statements unprepared, for PgBouncer before version 1.21 in transaction mode",
            commands: Command.onStore
        ) { options, isOn in options.preparesStatements = !isOn },
    ]
}
