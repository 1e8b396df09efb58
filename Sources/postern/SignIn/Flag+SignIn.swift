import Accounts
import ProgramSignIn

extension Flag {
    /// The flags of sign-ins for other programs.
    static let signIn: [Flag] = [
        Flag(
            name: "as",
            value: ProgramConvention.allCases.map(\.name).joined(separator: "|"),
            summary: "the program that asks, by its convention: verify has "
                + OneShotConvention.allCases.map(\.rawValue).joined(separator: ", ") + "; helper has "
                + HelperConvention.allCases.map(\.rawValue).joined(separator: ", "),
            commands: [.verify, .helper]
        ) { options, text in
            options.convention = ProgramConvention.allCases.first { $0.name == text }
            return options.convention != nil
        },
        .toggle(
            name: "concurrency",
            summary: "with --as squid: each line begins with a channel, as with concurrency= in squid.conf",
            commands: [.helper]
        ) { options, isOn in options.hasChannels = isOn },
    ]
}
