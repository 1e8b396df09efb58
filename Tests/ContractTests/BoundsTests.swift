import Accounts
import Foundation
import JSON
import PosternTesting
import Testing

/// The contract states the same limits of params as the rules use.
struct BoundsTests {
    private static let bounds: [String: Int] = [
        "email": Limits.emailBytesMax, "password": Limits.passwordBytesMax,
        "current_password": Limits.passwordBytesMax, "first_name": Limits.nameCharactersMax,
        "last_name": Limits.nameCharactersMax, "first": Limits.nameCharactersMax, "last": Limits.nameCharactersMax,
        "phone": Limits.phoneCharactersMax, "address": Limits.addressCharactersMax,
    ]

    @Test(arguments: bounds.keys.sorted())
    func equalTheLimitsOfTheRules(name: String) throws {
        let file = PosternProcess.repository.appendingPathComponent("schema/openrpc.json")
        let document = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
        let methods = try #require(document["methods"]?.array)
        let stated = methods.flatMap { method in
            (method["params"]?.array ?? []).flatMap { param in
                Self.lengths(of: name, in: param["schema"] ?? .null, named: param["name"]?.string ?? "")
            }
        }
        // At least one param states the limit, and all that do state the same.
        #expect(Set(stated) == [Self.bounds[name]])
    }

    /// An app could read how long a session lasts, and how often a password may be tried, in no document.
    @Test func methodsShowTheBoundsThatAnAppNeeds() throws {
        let file = PosternProcess.repository.appendingPathComponent("schema/openrpc.json")
        let document = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
        let signIn = try #require(document["methods"]?.array?.first { $0["name"] == "care.auth.token" })
        #expect(signIn["x-limits"]?["sessionSeconds"]?.int == Limits.sessionSeconds)
        #expect(signIn["x-limits"]?["failedSignInsMax"]?.int == Limits.failedSignInsMax)
        let described = document["x-limits"]?["sessionSeconds"]
        #expect(described?["value"]?.int == Limits.sessionSeconds && described?["description"]?.string != nil)
    }

    /// The greatest lengths of the params of a name, which may stand within others.
    private static func lengths(of name: String, in schema: JSONValue, named own: String) -> [Int?] {
        let inner = (schema["properties"]?.object ?? []).flatMap { lengths(of: name, in: $0.value, named: $0.name) }
        return (own == name ? [schema["maxLength"]?.int] : []) + inner
    }
}
