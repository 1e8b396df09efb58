import Accounts

extension Flag {
    /// The flags for the users of another program.
    static let imports: [Flag] = [
        Flag(
            name: "from",
            value: ExportFormat.allCases.map(\.rawValue).joined(separator: "|"),
            summary: "adds the users of another program to the store; needs --api, --confirmed and FILE",
            commands: [.import]
        ) { options, text in
            options.importFormat = ExportFormat(rawValue: text)
            return options.importFormat != nil
        },
        Flag(
            name: "api",
            value: Realm.allCases.map(\.rawValue).joined(separator: "|"),
            summary: "the API that gets the accounts of --from, or whose accounts are listed or may sign in",
            commands: [.import, .verify, .helper, .account]
        ) { options, text in
            options.api = Realm(rawValue: text)
            return options.api != nil
        },
        Flag(
            name: "confirmed",
            value: "yes|no",
            summary: "with --from: whether emails are confirmed, for users of whom the file does not say it",
            commands: [.import]
        ) { options, text in
            options.importIsConfirmed = ["yes": true, "no": false][text]
            return options.importIsConfirmed != nil
        },
        .toggle(
            name: "skip-invalid",
            summary: "with --from: imports the valid users if others are invalid; without it, nothing is imported then",
            commands: [.import]
        ) { options, isOn in options.skipsInvalidUsers = isOn },
        .withPath(
            name: "firebase-hash",
            value: "FILE",
            summary: "with --from firebase: the project's password hash parameters, as the Firebase console shows them",
            commands: [.import]
        ) { options, path in
            options.firebaseHash = path
            return true
        },
    ]
}
