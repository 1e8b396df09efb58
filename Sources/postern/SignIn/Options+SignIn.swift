import Accounts
import ProgramSignIn

extension Options {
    /// The role of the inviter, for `invite`.
    var inviterRole: SalesRole {
        get throws(CommandError) {
            guard let role else { return .admin }
            guard let known = SalesRole(rawValue: role) else {
                throw .role(role, isNoneOf: SalesRole.allCases.map(\.rawValue))
            }
            return known
        }
    }

    /// The convention of `verify`.
    var oneShotConvention: OneShotConvention {
        get throws(CommandError) {
            guard case .oneShot(let chosen)? = convention else {
                throw .convention(convention, isNoneOf: OneShotConvention.allCases.map(\.rawValue), for: command)
            }
            guard paths.isEmpty || chosen.takesFile else {
                throw .usage("postern verify --as \(chosen.rawValue) takes only flags")
            }
            return chosen
        }
    }

    /// The convention of `helper`.
    var helperConvention: HelperConvention {
        get throws(CommandError) {
            guard case .helper(let chosen)? = convention else {
                throw .convention(convention, isNoneOf: HelperConvention.allCases.map(\.rawValue), for: command)
            }
            guard chosen == .squid || !hasChannels else { throw .usage("--concurrency needs --as squid") }
            return chosen
        }
    }

    /// The API whose accounts may sign in, and the role that they must have; nil for any.
    var admitted: (api: Realm, role: String?) {
        get throws(CommandError) {
            guard let api else { throw .usage("postern \(command.rawValue) needs --api") }
            let roles = AccountAPIs.roles(of: api)
            guard let role else { return (api, nil) }
            guard !roles.isEmpty else {
                throw .usage("accounts of \(api.rawValue) have no roles, so --role has no meaning")
            }
            guard roles.contains(role) else { throw .role(role, isNoneOf: roles) }
            return (api, role)
        }
    }

    /// Checks the flags of the commands that answer other programs, and the role of `invite`.
    func checkSignIn() throws(CommandError) {
        switch command {
        case .invite: _ = try inviterRole
        case .verify: _ = (try oneShotConvention, try admitted)
        case .helper: _ = (try helperConvention, try admitted)
        default: break
        }
    }
}

extension CommandError {
    fileprivate static func role(_ given: String, isNoneOf roles: [String]) -> CommandError {
        .usage("--role takes \(roles.joined(separator: "|")), not \(given)")
    }

    fileprivate static func convention(
        _ given: ProgramConvention?,
        isNoneOf names: [String],
        for command: Command
    ) -> CommandError {
        let list = names.joined(separator: "|")
        guard let given else { return .usage("postern \(command.rawValue) needs --as \(list)") }
        return .usage("postern \(command.rawValue) takes --as \(list), not \(given.name)")
    }
}
