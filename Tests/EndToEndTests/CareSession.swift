import JSON
import PosternTesting
import Testing

/// An account of the care API with a session, in a store of which a test looks at the files.
struct CareSession {
    let token: JSONValue

    /// Registers an account and signs it in.
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

    /// The params of `care.patients.list`, for all of them.
    var list: JSONValue { ["access_token": token, "limit": 0] }

    /// Writes a record and reads it back.
    func expectToWork(_ postern: PosternProcess, _ name: String) throws {
        #expect(try postern.reply(to: "care.patients.create", patient(name))["error"] == nil)
        let patients = try postern.reply(to: "care.patients.list", list)["result"]
        #expect(patients?.text.contains(name) == true, "\(postern.errorText)")
    }
}
