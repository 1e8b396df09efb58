import JSON
import PosternTesting
import Testing

/// Checks the annotations of tools: compares the store before and after two equal calls.
///
/// Hosts run read-only tools without asking the user, and repeat idempotent tools after a lost reply.
struct ToolAnnotationTests {
    @Test(arguments: ["operators", "care", "sales", "system"])
    func annotationsAreTrue(group: String) throws {
        let world = try ToolWorld(isStored: true)
        let tools = try world.tools().filter { $0["name"]?.string?.hasPrefix(group + "_") == true }
        #expect(!tools.isEmpty)
        for tool in tools {
            let name = try #require(tool["name"]?.string)
            let hints = try #require(tool["annotations"])
            let arguments = try world.arguments(of: name)
            let before = try world.export()
            let first = try world.call(name, arguments)
            #expect(first["isError"] == false, "\(name): \(first.text)")
            let after = try world.export()
            _ = try world.call(name, arguments)
            let again = try world.export()
            #expect(hints["readOnlyHint"]?.bool == (before == after), "\(name)")
            #expect(hints["idempotentHint"]?.bool == (after == again), "\(name)")
            let lost = try Self.losses(from: before, to: after)
            #expect(hints["destructiveHint"]?.bool == !lost.isEmpty, "\(name) \(lost)")
            #expect(hints["openWorldHint"] == false, "\(name)")
        }
    }

    /// Checks the tools of deterministic mode by the results of their calls, because its store cannot be exported.
    @Test func annotationsOfDeterministicModeAreTrue() throws {
        let world = try ToolWorld(isStored: false)
        let tools = try world.tools().reduce(into: [String: JSONValue]()) { $0[$1["name"]?.string ?? ""] = $1 }
        func hint(_ tool: String, _ name: String) -> Bool? { tools[tool]?["annotations"]?[name]?.bool }
        func created() throws -> JSONValue? {
            let result = try world.call("operators_register", world.arguments(of: "operators_register"))
            return result["structuredContent"]?["created"]
        }
        let codes = try (0..<2).map { _ in try world.call("system_invite", ["role": "admin"])["structuredContent"] }
        #expect(codes[0] != codes[1])
        #expect(hint("system_invite", "readOnlyHint") == false && hint("system_invite", "idempotentHint") == false)
        let times = try (0..<2).map { _ in
            _ = try world.call("system_advance_clock", ["seconds": 1])
            return try created()
        }
        #expect(times[0] != times[1])
        let clock = "system_advance_clock"
        #expect(hint(clock, "readOnlyHint") == false && hint(clock, "idempotentHint") == false)
        let mails = try (0..<2).map { _ in try world.call("system_outbox", [:]) }
        #expect(mails[0] == mails[1])
        #expect(hint("system_outbox", "readOnlyHint") == true && hint("system_outbox", "idempotentHint") == true)
    }

    /// The records and values that a call deleted or overwrote. Records that only count or hold codes, invitations,
    /// tries and mails are ignored.
    private static func losses(from before: [String], to after: [String]) throws -> [String] {
        let kept = Set(after)
        let now = try after.map { try JSONValue(parsing: $0) }
        return try before.filter { !kept.contains($0) }.compactMap { line in
            let old = try JSONValue(parsing: line)
            guard let collection = old["collection"]?.string, !bookkeeping.contains(collection) else { return nil }
            let record = old["record"] ?? .null
            let newer = now.first { $0["collection"]?.string == collection && isSame($0["record"] ?? .null, record) }
            guard let newer else { return "\(collection): gone" }
            let changed = (record.object ?? []).filter { property in
                let isFilled = property.value != .null && property.value != "" && !counts.contains(property.name)
                return isFilled && newer["record"]?[property.name] != property.value
            }
            return changed.isEmpty ? nil : "\(collection): \(changed.map(\.name))"
        }
    }

    private static func isSame(_ one: JSONValue, _ other: JSONValue) -> Bool {
        for name in ["id", "hash", "number", "email"] {
            if let value = other[name] { return one[name] == value }
        }
        return false
    }

    /// Collections that hold no data of an account.
    private static let bookkeeping = [
        "codes", "mail quotas", "password failures", "outbox", "outbox texts", "sales.invitations",
    ]
    /// Properties that count or mark events.
    private static let counts = [
        "confirmed", "is_confirmed", "verified", "is_verified", "is_proven", "change", "next_change", "uses",
    ]
}
