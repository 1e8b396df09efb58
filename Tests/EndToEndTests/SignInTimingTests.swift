import JSON
import PosternTesting
import Testing

/// The duration of a refused sign-in must not reveal whether an address has an account (SECURITY 4).
struct SignInTimingTests {
    private static let methods = ["operators.signin", "care.auth.token", "sales.user.authenticate"]
    /// The number of wrong passwords for one account, which is too small to lock it.
    private static let triesMax = 8
    private static let accounts = (1...4).map { "known\($0)@b.co" }

    @Test(arguments: methods)
    func unknownAddressesAndWrongPasswordsTakeEquallyLong(method: String) throws {
        let postern = try PosternProcess.deterministic(["--no-email-confirmation"])
        let invitation = try postern.reply(to: "system.invite", ["role": "admin"])["result"]
        var code = try #require(invitation?["referral_code"])
        for email in Self.accounts {
            code = try register(email, for: method, code, in: postern)
        }
        var (known, unknown): ([Duration], [Duration]) = ([], [])
        for attempt in 0..<Self.triesMax {
            for (index, email) in Self.accounts.enumerated() {
                // In turns, so that other work of the machine affects both kinds equally.
                known.append(try refusal(of: email, by: method, in: postern))
                unknown.append(try refusal(of: "unknown\(attempt).\(index)@b.co", by: method, in: postern))
            }
        }
        let (first, second) = (try median(of: known), try median(of: unknown))
        #expect(first < second * 1.5 && second < first * 1.5, "known \(first), unknown \(second)")
    }

    /// Registers an account, and returns a referral code for the next one.
    private func register(
        _ email: String,
        for method: String,
        _ code: JSONValue,
        in postern: PosternProcess
    ) throws -> JSONValue {
        let email = JSONValue.string(email)
        switch method {
        case "operators.signin":
            let person: JSONValue = ["first_name": "A", "last_name": "B", "email": email]
            let reply = try postern.reply(to: "operators.register", ["user": person, "password": "right"])
            #expect(reply["result"] != nil)
            return code
        case "care.auth.token":
            let user: JSONValue = ["email": email, "password": "right", "role": "user"]
            #expect(try postern.reply(to: "care.user.register", user)["result"] != nil)
            return code
        default:
            let name: JSONValue = ["first": "A", "last": "B"]
            let user: JSONValue = ["email": email, "password": "right", "referral_code": code, "name": name]
            let created = try postern.reply(to: "sales.user.create_internal", user)["result"]
            let me = try postern.reply(to: "sales.user.me", ["api_key": try #require(created?["api_key"])])
            return try #require(me["result"]?["referral_code"])
        }
    }

    /// The duration of a sign-in that fails as with a wrong password, and not because the account is locked.
    private func refusal(of email: String, by method: String, in postern: PosternProcess) throws -> Duration {
        let start = ContinuousClock.now
        let reply = try postern.reply(to: method, ["email": .string(email), "password": "wrong"])
        let time = ContinuousClock.now - start
        let slugs = try #require(reply["error"]?["data"]?["errors"]?.array)
        let locked: [JSONValue] = ["too_many_attempts", "login_attempts_exceeded"]
        #expect(!slugs.isEmpty && !slugs.contains { locked.contains($0) }, "\(reply.text)")
        return time
    }

    private func median(of times: [Duration]) throws -> Duration {
        try #require(times.sorted().dropFirst(times.count / 2).first)
    }
}
