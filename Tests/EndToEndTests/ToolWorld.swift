import Foundation
import JSON
import PosternTesting
import Testing

/// A running service with accounts, sessions and codes, which provides valid arguments for each tool.
final class ToolWorld {
    let postern: PosternProcess
    /// The directory of the store; nil for deterministic mode, whose store is in memory.
    private let folder: TemporaryDirectory?
    private var people = 0

    static let password: JSONValue = "a long password"

    /// - Parameter isStored: Whether the store is a directory, which can be exported.
    init(isStored: Bool) throws {
        folder = isStored ? TemporaryDirectory() : nil
        postern = try PosternProcess(folder.map { ["--data", $0.path("store")] } ?? PosternProcess.deterministicFlags)
        let clientInfo: JSONValue = ["name": "host", "version": "1"]
        let params: JSONValue = ["protocolVersion": "2025-11-25", "capabilities": [:], "clientInfo": clientInfo]
        try postern.reply(to: "initialize", params)
    }

    /// The tools that the service offers.
    func tools() throws -> [JSONValue] {
        try #require(postern.reply(to: "tools/list")["result"]?["tools"]?.array)
    }

    /// The result of a tool's call.
    func call(_ tool: String, _ arguments: JSONValue) throws -> JSONValue {
        let reply = try postern.reply(to: "tools/call", ["name": .string(tool), "arguments": arguments])
        return try #require(reply["result"], "\(tool): \(reply.text)")
    }

    /// The export of the store: one line for each record and counter.
    func export() throws -> [String] {
        let path = try #require(folder).path("store")
        let outcome = try PosternProcess.run(["export", "--data", path])
        try #require(outcome.status == 0, "\(outcome.errors)")
        return outcome.output.split(separator: "\n").map(String.init)
    }

    // MARK: Arguments

    /// Arguments with which a tool succeeds, for a new account.
    func arguments(of tool: String) throws -> JSONValue {
        switch tool.split(separator: "_").first {
        case "operators": try operatorsArguments(of: tool)
        case "care": try careArguments(of: tool)
        case "sales": try salesArguments(of: tool)
        default: try systemArguments(of: tool)
        }
    }

    private func operatorsArguments(of tool: String) throws -> JSONValue {
        let email = newEmail()
        let registration: JSONValue = ["user": person(email), "password": Self.password]
        if tool == "operators_register" { return registration }
        let registered = try result(of: "operators.register", registration)
        let session = [
            JSONValue.Property("user_id", try #require(registered["id"])),
            JSONValue.Property("session_id", try #require(registered["session_id"])),
        ]
        let client = JSONValue.Property("client", ["user": person(newEmail()), "address": "12 Main St."])
        switch tool {
        case "operators_confirm_email": return ["code": try code(mailedTo: email)]
        case "operators_resend_confirmation", "operators_reset_password": return ["email": email]
        case "operators_signin":
            try result(of: "operators.confirm_email", ["code": code(mailedTo: email)])
            return ["email": email, "password": Self.password]
        case "operators_complete_reset":
            try result(of: "operators.reset_password", ["email": email])
            return ["code": try code(mailedTo: email), "password": Self.password]
        case "operators_client_create": return .object(session + [client])
        case "operators_client_update", "operators_client_delete":
            let created = try result(of: "operators.client.create", .object(session + [client]))
            let id = JSONValue.Property("client_id", try #require(created["id"]))
            let change = JSONValue.Property("client", ["user": person(newEmail()), "address": "another"])
            return .object(session + [id] + (tool == "operators_client_update" ? [change] : []))
        case "operators_clients_get":
            try result(of: "operators.client.create", .object(session + [client]))
            return .object(session + [.init("provision", 0)])
        case "operators_signout": return .object(session)
        case "operators_update": return .object(session + [.init("user", ["first_name": "Lucas", "last_name": "T"])])
        default:
            try result(of: "operators.confirm_email", ["code": code(mailedTo: email)])
            return try accountArguments(of: tool, prefix: "operators", session, email: email) {
                try result(of: "operators.signin", ["email": email, "password": Self.password])
            }
        }
    }

    private func careArguments(of tool: String) throws -> JSONValue {
        let email = newEmail()
        let registration: JSONValue = [
            "email": email, "password": Self.password, "role": "clinician", "first_name": "Luke", "last_name": "S",
            "phone": "1",
        ]
        if tool == "care_user_register" { return registration }
        try result(of: "care.user.register", registration)
        if tool == "care_auth_token" { return ["email": email, "password": Self.password] }
        if ["care_user_reset_password", "care_user_resend_confirmation"].contains(tool) { return ["email": email] }
        let token = JSONValue.Property("access_token", try careToken(of: email))
        let fields: [JSONValue.Property] = [
            .init("first_name", "Ann"), .init("last_name", "Lee"), .init("birthdate", "1970-12-31"),
            .init("sex", "female"), .init("phone", "2"),
        ]
        switch tool {
        case "care_user_view", "care_user_delete", "care_auth_revoke": return .object([token])
        case "care_user_confirm_email": return .object([token, .init("code", try code(mailedTo: email))])
        case _ where isAccountTool(tool, prefix: "care_user"):
            try result(of: "care.user.confirm_email", .object([token, .init("code", code(mailedTo: email))]))
            return try accountArguments(of: tool, prefix: "care_user", [token], email: email) {
                _ = try careToken(of: email)
            }
        case "care_user_change":
            let changes: [JSONValue.Property] = [
                .init("first_name", "Lucas"), .init("last_name", "T"), .init("phone", "3"), .init("npi", "1245319599"),
            ]
            return .object([token] + changes)
        case "care_patients_create": return .object([token] + fields)
        case "care_patients_list": return .object([token, .init("limit", 25), .init("offset", 0)])
        default: break
        }
        let created = try result(of: "care.patients.create", .object([token, .init("first_name", "Bo")]))
        let patient = JSONValue.Property("patient_id", try #require(created["id"]))
        let invited = newEmail()
        let share: [JSONValue.Property] = [
            token, patient, .init("email", invited), .init("access", "read"), .init("group", "family"),
        ]
        switch tool {
        case "care_patients_view", "care_patients_delete", "care_patients_shares": return .object([token, patient])
        case "care_patients_update": return .object([token, patient] + fields)
        case "care_patients_share":
            // Changes an existing share, so that the test sees what the tool overwrites.
            try result(of: "care.patients.share", .object(share))
            return .object(share.dropLast(2) + [.init("access", "write"), .init("group", "prime")])
        case "care_patients_unshare":
            let shared = try result(of: "care.patients.share", .object(share))
            return .object([token, patient, .init("share_id", try #require(shared["id"]))])
        case "care_patients_claim":
            try result(of: "care.patients.share", .object(share))
            let claimer = newEmail()
            try result(of: "care.user.register", ["email": claimer, "password": Self.password, "role": "user"])
            return ["access_token": try careToken(of: claimer), "code": try code(mailedTo: invited.string ?? "")]
        default: return try unknown(tool)
        }
    }

    private func salesArguments(of tool: String) throws -> JSONValue {
        let email = newEmail()
        let name: JSONValue = ["first": "Sam", "last": "Lee"]
        let account: [JSONValue.Property] = [
            .init("email", email), .init("password", Self.password), .init("referral_code", try referralCode()),
            .init("name", name),
        ]
        let customer = JSONValue.object(account + [.init("source", "a friend")])
        switch tool {
        case "sales_user_create_customer": return customer
        case "sales_user_create_salesperson": return .object(account + [.init("phone", "1"), .init("brand_id", "b")])
        case "sales_user_create_internal": return .object(account)
        case "sales_user_verify", "sales_user_resend_verification":
            try result(of: "sales.user.create_customer", customer)
            return tool == "sales_user_verify" ? ["token": try code(mailedTo: email)] : ["email": email]
        default: break
        }
        let created = try result(of: "sales.user.create_internal", .object(account))
        // Restoring an earlier address needs a verified one.
        try result(of: "sales.user.resend_verification", ["email": email])
        try result(of: "sales.user.verify", ["token": try code(mailedTo: email)])
        let key = JSONValue.Property("api_key", try #require(created["api_key"]))
        switch tool {
        case "sales_user_authenticate": return ["email": email, "password": Self.password]
        case "sales_user_me", "sales_user_signout", "sales_user_renew_referral_code": return .object([key])
        case "sales_user_update_me": return .object([key, .init("name", ["first": "Samuel", "last": "Li"])])
        case "sales_user_reset": return ["email": email]
        case "sales_user_complete_reset":
            try result(of: "sales.user.reset", ["email": email])
            return ["token": try code(mailedTo: email), "password": Self.password]
        default:
            return try accountArguments(of: tool, prefix: "sales_user", [key], email: email) {
                try result(of: "sales.user.authenticate", ["email": email, "password": Self.password])
            }
        }
    }

    /// The names, after the prefix, of the tools that every account API has.
    private static let accountTools = [
        "account", "sessions", "end_session", "end_other_sessions", "check_password", "change_password", "metadata",
        "set_metadata", "change_email", "confirm_email_change", "revert_email_change", "delete",
    ]

    private func isAccountTool(_ tool: String, prefix: String) -> Bool {
        Self.accountTools.contains { tool == "\(prefix)_\($0)" } && tool != "care_user_delete"
    }

    /// Arguments for a tool that every account API has.
    ///
    /// - Parameters:
    ///   - email: the account's email, which is confirmed.
    ///   - signIn: opens another session of the account.
    private func accountArguments(
        of tool: String,
        prefix: String,
        _ credential: [JSONValue.Property],
        email: JSONValue,
        signIn: () throws -> Void
    ) throws -> JSONValue {
        guard isAccountTool(tool, prefix: prefix) else { return try unknown(tool) }
        let current = JSONValue.Property("current_password", Self.password)
        let method = prefix.replacing("_", with: ".") + "."
        switch tool.dropFirst(prefix.count + 1) {
        case "end_session":
            let sessions = try result(of: method + "sessions", .object(credential))["sessions"]?.array
            return .object(credential + [.init("id", try #require(sessions?.first?["id"]))])
        case "end_other_sessions":
            try signIn()
            return .object(credential)
        case "check_password":
            // The right password deletes the count of wrong ones.
            let wrong = JSONValue.Property("current_password", "wrong")
            _ = try postern.reply(to: method + "check_password", .object(credential + [wrong]))
            return .object(credential + [current])
        case "set_metadata":
            // Replaces other metadata, so that the test sees what the tool overwrites.
            let metadata: [JSONValue] = [["theme": "light", "columns": [1]], ["theme": "dark", "other": ["a": [:]]]]
            try result(of: method + "set_metadata", .object(credential + [.init("metadata", metadata[0])]))
            return .object(credential + [.init("metadata", metadata[1])])
        case "delete": return .object(credential + [current])
        case "change_email": return .object(credential + [current, .init("email", newEmail())])
        case "confirm_email_change", "revert_email_change":
            let new = newEmail()
            try result(of: method + "change_email", .object(credential + [current, .init("email", new)]))
            let change = JSONValue.object(credential + [.init("code", try code(mailedTo: new))])
            if tool.hasSuffix("_confirm_email_change") { return change }
            try result(of: method + "confirm_email_change", change)
            return ["code": try code(mailedTo: email), "password": "another password"]
        case "change_password": return .object(credential + [current, .init("password", "another password")])
        default: return .object(credential)
        }
    }

    private func systemArguments(of tool: String) throws -> JSONValue {
        switch tool {
        case "system_info", "system_outbox": return [:]
        case "system_advance_clock": return ["seconds": 1]
        case "system_invite": return ["role": "admin"]
        default: return try unknown(tool)
        }
    }

    private func unknown(_ tool: String) throws -> JSONValue {
        try #require(nil as JSONValue?, "ToolWorld has no arguments for \(tool)")
    }

    // MARK: Accounts

    private func newEmail() -> JSONValue {
        people += 1
        return .string("person\(people)@example.com")
    }

    private func person(_ email: JSONValue) -> JSONValue {
        ["first_name": "Luke", "last_name": "Sorenson", "email": email]
    }

    private func careToken(of email: JSONValue) throws -> JSONValue {
        let signedIn = try result(of: "care.auth.token", ["email": email, "password": Self.password])
        return try #require(signedIn["access_token"])
    }

    private func referralCode() throws -> JSONValue {
        guard let folder else {
            return try #require(result(of: "system.invite", ["role": "admin"])["referral_code"])
        }
        let outcome = try PosternProcess.run(["invite", "--data", folder.path("store")])
        return .string(try #require(outcome.output.split(separator: "\n").first.map(String.init), "\(outcome.errors)"))
    }

    @discardableResult
    private func result(of method: String, _ params: JSONValue) throws -> JSONValue {
        let reply = try postern.reply(to: method, params)
        return try #require(reply["result"], "\(method): \(reply.text)")
    }

    /// The code in the newest mail to an address that contains a code.
    private func code(mailedTo email: JSONValue) throws -> JSONValue { try code(mailedTo: email.string ?? "") }

    private func code(mailedTo email: String) throws -> JSONValue {
        let codes = try texts(mailedTo: email).compactMap { $0.firstMatch(of: /[?&](?:code|token)=(\S+)/)?.output.1 }
        return .string(String(try #require(codes.last, "no code was mailed to \(email)")))
    }

    private func texts(mailedTo email: String) throws -> [String] {
        guard folder != nil else {
            let messages = try result(of: "system.outbox", [:])["messages"]?.array ?? []
            return messages.filter { $0["to"]?.string == email }.compactMap { $0["text"]?.string }
        }
        let records = try export().map { try JSONValue(parsing: $0) }
        let mails = records.filter { $0["collection"] == "outbox" && $0["record"]?["to"]?.string == email }
        let ids = mails.compactMap { $0["record"]?["id"]?.int }
        return records.filter { $0["collection"] == "outbox texts" }.compactMap { text in
            text["record"]?["id"]?.int.map { ids.contains($0) } == true ? text["record"]?["text"]?.string : nil
        }
    }
}
