import Accounts

extension Flag {
    /// The flags of the rules for new passwords.
    static let passwords: [Flag] = [
        Flag(
            name: "password-policy",
            value: PasswordPolicy.Name.allCases.map(\.rawValue).joined(separator: "|"),
            summary: "the rules for new passwords (documented); nist: at least \(Limits.passwordCharactersMin) "
                + "characters, not one of the most common passwords, not the account's own email or name",
            commands: [.serve, .call, .account]
        ) { options, text in
            guard let name = PasswordPolicy.Name(rawValue: text) else { return false }
            options.passwordPolicy = name
            return true
        },
        Flag(
            name: "password-length",
            value: "NUMBER",
            summary: "the minimum number of characters in new passwords",
            commands: [.serve, .call, .account],
            hint: { _ in "from \(Limits.passwordLengths.lowerBound) to \(Limits.passwordLengths.upperBound)" }
        ) { options, text in
            guard let length = Int(text), Limits.passwordLengths.contains(length) else { return false }
            options.passwordCharactersMin = length
            return true
        },
        .withPath(
            name: "password-list",
            value: "FILE",
            summary: "a text file of passwords, one a line, that are refused too",
            commands: [.serve, .call, .account]
        ) { options, path in
            options.passwordList = path
            return true
        },
    ]
}
