import JSON
import PosternTesting
import Testing

/// A care account with a session, for tests that inspect the files of its store.
struct CareSession {
    let token: JSONValue

    /// Registers an account and signs in.
    init(_ postern: PosternProcess, email: String = "owner@b.co") throws {
        let sign: JSONValue = ["email": .string(email), "password": "a long password"]
        let user: JSONValue = ["email": .string(email), "password": "a long password", "role": "user"]
        try #require(try postern.reply(to: "care.user.register", user)["result"] != nil)
        token = try #require(try postern.reply(to: "care.auth.token", sign)["result"]?["access_token"])
    }

    /// The params of `care.patients.create`.
    func patient(_ name: String) -> JSONValue {
        ["access_token": token, "first_name": .string(name)]
    }

    /// The params of `care.patients.list` for all patients.
    var list: JSONValue { ["access_token": token, "limit": 0] }

    /// Writes a record and reads it back.
    func expectToWork(_ postern: PosternProcess, _ name: String) throws {
        #expect(try postern.reply(to: "care.patients.create", patient(name))["error"] == nil)
        let patients = try postern.reply(to: "care.patients.list", list)["result"]
        #expect(patients?.text.contains(name) == true, "\(postern.errorText)")
    }
}
