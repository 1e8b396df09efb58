import Accounts

/// Home Assistant's authentication provider `command_line`: `username` and `password` in the environment.
///
/// With `meta: true` it reads lines `key = value` from stdout, among them the person's name. It reports no address.
enum HomeAssistant: OneShotProgram {
    static let secretVariables = ["password"]

    static func question(in call: ProgramCall) throws -> Question {
        .attempt(
            Attempt(
                name: try call.needed("username"),
                password: try call.needed("password"),
                from: nil,
                agent: "Home Assistant"
            )
        )
    }

    static func output(_ verdict: Verdict, in call: ProgramCall) -> String {
        guard case .yes(let account) = verdict else { return "" }
        let names = [account.firstName, account.lastName].filter { !$0.isEmpty }.joined(separator: " ")
        // A further line could give the person a group. No name of an account has a control character; this does not
        // rely on it.
        guard !names.isEmpty, names.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            return ""
        }
        return "name = \(names)\n"
    }
}
