import Foundation
import JSON
import PosternTesting
import Testing

/// Sends every param of every method with a wrong type. Each request gets an error of its API,
/// and the next request is served.
struct TypeConfusionTests {
    private static let strangers: [(kind: String, value: JSONValue)] = [
        ("null", .null), ("number", 7), ("fraction", .number("0.5")), ("huge", .number("1e400")), ("boolean", true),
        ("array", []), ("array", [1, ["x"]]), ("object", [:]), ("object", ["first": 1, "user": []]), ("blank", ""),
        ("long", .string(String(repeating: "x", count: 1 << 20))),
    ]

    private static func methods() throws -> [JSONValue] {
        let file = PosternProcess.repository.appendingPathComponent("schema/openrpc.json")
        let document = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
        return try #require(document["methods"]?.array)
    }

    private static func api(of method: JSONValue) -> String {
        method["tags"]?.array?.first?["name"]?.string ?? "none"
    }

    @Test(arguments: Set(try methods().map(api)).sorted())
    func isRefused(api: String) throws {
        let methods = try Self.methods().filter { Self.api(of: $0) == api }
        let postern = try PosternProcess.deterministic(["--no-email-confirmation", "--admin"])
        let credentials = try Self.credentials(from: postern)
        var tried = 0
        for method in methods {
            let name = try #require(method["name"]?.string)
            let declared = try #require(method["params"]?.array)
            if declared.isEmpty { continue }
            let example = try #require(method["examples"]?.array?.first?["params"]?.array, "\(name)")
            let params = example.map { param in
                let name = param["name"]?.string ?? ""
                return JSONValue.Property(name, credentials[name] ?? param["value"] ?? .null)
            }
            for param in declared {
                for path in Self.paths(to: param) {
                    for stranger in Self.strangers where !Self.fits(stranger.kind, path.schema, path.names) {
                        let given = JSONValue.object(params).setting(path.names, to: stranger.value)
                        let reply = try postern.reply(to: name, given)
                        let code = reply["error"]?["code"]?.int
                        #expect(reply["error"]?["data"]?["errors"] != nil, "\(name) \(path.names) \(stranger.kind)")
                        #expect(code != nil && code != -32_603, "\(name) \(path.names) \(stranger.kind)")
                        tried += 1
                    }
                }
            }
        }
        #expect(tried > 0)
        #expect(try postern.reply(to: "system.info")["result"] != nil)
        postern.finish()
        #expect(postern.status == 0 && postern.errorText == "")
    }

    /// Care once said only that a param was invalid, though it had the wrong type.
    @Test(arguments: ["operators", "care", "sales", "admin", "service"])
    func namesTheTypeThatIsExpected(api: String) throws {
        let postern = try PosternProcess.deterministic(["--no-email-confirmation", "--admin"])
        let credentials = try Self.credentials(from: postern)
        let types: [(name: String, words: String, stranger: JSONValue)] = [
            ("string", "a string", 7), ("integer", "an integer", "seven"), ("object", "an object", true),
            ("boolean", "a boolean", 7),
        ]
        var tried = 0
        for method in try Self.methods() where Self.api(of: method) == api {
            let name = try #require(method["name"]?.string)
            let example = method["examples"]?.array?.first?["params"]?.array ?? []
            let params = example.map { param in
                let name = param["name"]?.string ?? ""
                return JSONValue.Property(name, credentials[name] ?? param["value"] ?? .null)
            }
            for path in try #require(method["params"]?.array).flatMap(Self.paths) {
                let names = path.schema["type"]?.array?.compactMap(\.string) ?? [path.schema["type"]?.string ?? ""]
                let type = try #require(types.first { names.contains($0.name) }, "\(name) \(path.names)")
                let given = JSONValue.object(params).setting(path.names, to: type.stranger)
                let message = try postern.reply(to: name, given)["error"]?["message"]?.string
                #expect(
                    message?.hasSuffix(" Expected \(type.words).") == true,
                    "\(name) \(path.names): \(message ?? "")"
                )
                tried += 1
            }
        }
        #expect(tried >= (api == "service" ? 3 : 10))
    }

    /// Valid credentials, so that a request reaches the check of the wrong param.
    private static func credentials(from postern: PosternProcess) throws -> [String: JSONValue] {
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": "a@b.co"]
        let session = try postern.reply(to: "operators.register", ["user": person, "password": "p"])
        let client: JSONValue = ["user": ["first_name": "C", "last_name": "D", "email": "c@b.co"], "address": "x"]
        let identity: [JSONValue.Property] = [
            .init("user_id", 1), .init("session_id", session["result"]?["session_id"] ?? .null),
        ]
        _ = try postern.reply(to: "operators.client.create", .object(identity + [.init("client", client)]))
        _ = try postern.reply(to: "care.user.register", ["email": "a@b.co", "password": "p", "role": "clinician"])
        let token = try postern.reply(to: "care.auth.token", ["email": "a@b.co", "password": "p"])
        let invitation = try postern.reply(to: "system.invite", ["role": "admin", "uses": 1000])
        let code = invitation["result"]?["referral_code"] ?? .null
        let created = try postern.reply(
            to: "sales.user.create_internal",
            ["email": "a@b.co", "password": "p", "referral_code": code, "name": ["first": "A", "last": "B"]]
        )
        return [
            "account": "operators:1", "user_id": 1, "session_id": session["result"]?["session_id"] ?? .null,
            "client_id": 1, "patient_id": 1,
            "access_token": token["result"]?["access_token"] ?? .null, "referral_code": code,
            "api_key": created["result"]?["api_key"] ?? .null,
        ]
    }

    /// The param and every property inside it, each with its schema.
    private static func paths(to param: JSONValue) -> [(names: [String], schema: JSONValue)] {
        func within(_ names: [String], _ schema: JSONValue, isRequired: Bool) -> [(names: [String], schema: JSONValue)]
        {
            let required = schema["required"]?.array ?? []
            let inner = (schema["properties"]?.object ?? []).flatMap { property in
                within(names + [property.name], property.value, isRequired: required.contains(.string(property.name)))
            }
            let marked = JSONValue.object((schema.object ?? []) + [.init("isRequired", .bool(isRequired))])
            return [(names, marked)] + inner
        }
        let isRequired = param["required"]?.bool ?? false
        return within([param["name"]?.string ?? ""], param["schema"] ?? .null, isRequired: isRequired)
    }

    /// Whether the schema allows a kind of value, or the kind means "no value" for an optional property.
    private static func fits(_ kind: String, _ schema: JSONValue, _ names: [String]) -> Bool {
        switch kind {
        // A long one is cut.
        case "long": names == ["client", "agent"]
        case "null", "blank": schema["isRequired"]?.bool == false
        case "boolean": schema["type"]?.string == "boolean"
        case "number": schema["type"]?.string == "integer"
        case "object": schema["type"]?.string == "object"
        default: false
        }
    }
}

extension JSONValue {
    /// The object with the property at a path replaced or added.
    fileprivate func setting(_ path: [String], to value: JSONValue) -> JSONValue {
        guard let name = path.first else { return value }
        let inner = (self[name] ?? [:]).setting(Array(path.dropFirst()), to: value)
        return .object((object ?? []).filter { $0.name != name } + [.init(name, inner)])
    }
}
