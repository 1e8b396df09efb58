import Accounts
import JSON

/// SFTPGo's hook for external authentication: variables `SFTPGO_AUTHD_…`, and a user of SFTPGo as JSON on stdout.
///
/// A user with an empty name is a refusal, and so is an exit code other than 0. An empty output would be a success.
/// SFTPGo creates the user that is printed, or replaces the one with its name. So an existing user is printed as SFTPGo
/// has reported it, and keeps its directories and permissions.
enum SFTPGo: OneShotProgram {
    static let secretVariables = ["SFTPGO_AUTHD_PASSWORD"]

    static func question(in call: ProgramCall) throws -> Question {
        let name = try call.needed("SFTPGO_AUTHD_USERNAME")
        let password = call.variable("SFTPGO_AUTHD_PASSWORD") ?? []
        guard !password.isEmpty else {
            return .refused(reason: "SFTPGo asks without a password; set external_auth_scope to 1")
        }
        // Checked before the attempt is counted.
        _ = try existingUser(in: call)
        let `protocol` = call.text("SFTPGO_AUTHD_PROTOCOL")
        return .attempt(
            Attempt(
                name: name,
                password: password,
                from: call.variable("SFTPGO_AUTHD_IP"),
                agent: `protocol`.isEmpty ? "SFTPGo" : "SFTPGo \(`protocol`)"
            )
        )
    }

    static func output(_ verdict: Verdict, in call: ProgramCall) -> String {
        let refusal = #"{"username":""}"# + "\n"
        guard case .yes(let account) = verdict else { return refusal }
        do throws(CallFault) {
            return (try existingUser(in: call) ?? newUser(of: account, in: call)).text + "\n"
        } catch {
            return refusal
        }
    }

    /// The user that SFTPGo has with the name; nil if there is none. Some versions report such a user with the number
    /// 0.
    private static func existingUser(in call: ProgramCall) throws(CallFault) -> JSONValue? {
        let text = call.text("SFTPGO_AUTHD_USER")
        guard !text.isEmpty else { return nil }
        let user: JSONValue
        do throws(JSONError) {
            user = try JSONValue(parsing: text)
        } catch {
            throw CallFault("SFTPGO_AUTHD_USER is not JSON")
        }
        guard let id = user["id"]?.int, id > 0 else { return nil }
        guard user["username"]?.string == call.text("SFTPGO_AUTHD_USERNAME") else {
            throw CallFault("SFTPGO_AUTHD_USER is another user")
        }
        return user
    }

    private static func newUser(of account: AccountSummary, in call: ProgramCall) -> JSONValue {
        [
            "status": 1, "username": .string(call.text("SFTPGO_AUTHD_USERNAME")), "email": .string(account.email),
            "permissions": ["/": ["*"]],
        ]
    }
}
