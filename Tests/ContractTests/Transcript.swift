import Foundation
import JSON
import PosternTesting
import Testing

/// A story of requests and replies, kept as a file of one JSON object a line: what is sent, what is expected, and what is
/// kept of the reply for later lines, where `{{name}}` stands for it.
struct Transcript: CustomTestStringConvertible, Sendable {
    let name: String
    var testDescription: String { name }
    private let steps: [JSONValue]
    private let arguments: [String]

    /// All transcripts of schema/cases.
    static func all() throws -> [Transcript] {
        let folder = PosternProcess.repository.appendingPathComponent("schema/cases")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".jsonl") }
            .sorted().map { try Transcript(folder.appendingPathComponent($0)) }
    }

    private init(_ file: URL) throws {
        name = file.lastPathComponent
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        steps = try lines.map { try JSONValue(parsing: String($0)) }
        arguments = steps.first?["arguments"]?.array?.compactMap(\.string) ?? []
    }

    /// The methods that it sends.
    var methods: Set<String> { Set(steps.compactMap { $0["send"]?["method"]?.string }) }

    /// The error slugs that it expects.
    var slugs: Set<String> {
        Set(steps.flatMap { $0["expect"]?["error"]?["data"]?["errors"]?.array?.compactMap(\.string) ?? [] })
    }

    /// Plays it through the real binary and gives what was not as expected.
    func replay() throws -> [String] {
        let postern = try PosternProcess(
            ["--data", ":memory:", "--clock", "2016-02-24T22:07:52.371513Z", "--seed", "7"] + arguments
        )
        var kept: [String: JSONValue] = [:]
        var failures: [String] = []
        for (index, step) in steps.enumerated() {
            guard let send = step["send"] else { continue }
            for _ in 0..<(step["repeat"]?.int ?? 1) {
                postern.send(send.filled(with: kept).text)
                guard let expected = step["expect"] else { continue }
                let reply = try JSONValue(parsing: postern.nextLine() ?? "null")
                if !reply.matches(expected.filled(with: kept)) {
                    failures.append("\(name):\(index + 1): got \(reply.text)")
                }
                for member in step["keep"]?.object ?? [] {
                    kept[member.name] = member.value.found(in: reply)
                    if kept[member.name] == nil {
                        failures.append("\(name):\(index + 1): nothing to keep as \(member.name)")
                    }
                }
            }
        }
        let rest = postern.finish()
        if !rest.isEmpty { failures.append("\(name): unexpected \(rest)") }
        return failures
    }
}

extension JSONValue {
    /// The value with every `{{name}}` replaced by what was kept under it.
    fileprivate func filled(with kept: [String: JSONValue]) -> JSONValue {
        switch self {
        case .string(let text):
            if let value = kept.first(where: { "{{\($0.key)}}" == text })?.value { return value }
            return .string(
                kept.reduce(text) { $0.replacingOccurrences(of: "{{\($1.key)}}", with: $1.value.string ?? "") }
            )
        case .array(let elements): return .array(elements.map { $0.filled(with: kept) })
        case .object(let members): return .object(members.map { Member($0.name, $0.value.filled(with: kept)) })
        default: return self
        }
    }

    /// Kinds of text that differ each time.
    private static let patterns = [
        "<time>": #"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"#,
        "<hex 32>": "[0-9a-f]{32}",
        "<hex 64>": "[0-9a-f]{64}",
        "<hex 128>": "[0-9a-f]{128}",
        "<uuid>": "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    ]

    /// Whether the value is what a transcript expects; the order of members counts not.
    fileprivate func matches(_ expected: JSONValue) -> Bool {
        switch (self, expected) {
        case (_, .string("<any>")): return true
        case (.number(let text), .string("<integer>")): return Int(text) != nil
        case (.string, .string("<string>")): return true
        case (.string(let text), .string(let kind)) where Self.patterns[kind] != nil:
            return text.range(of: "^\(Self.patterns[kind] ?? "")$", options: .regularExpression) != nil
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.matches($1) }
        case (.object(let left), .object(let right)):
            return left.count == right.count
                && right.allSatisfy { member in self[member.name]?.matches(member.value) ?? false }
        default: return self == expected
        }
    }

    /// What a `keep` finds in a reply: the value at a pointer, or the first group of a pattern in the text there.
    fileprivate func found(in reply: JSONValue) -> JSONValue? {
        let pointer = self["at"]?.string ?? string ?? ""
        let target = pointer.split(separator: "/").reduce(Optional(reply)) { value, name in
            guard let elements = value?.array else { return value?[String(name)] }
            return Int(name).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
        }
        guard let pattern = self["match"]?.string, let text = target?.string else { return target }
        guard let expression = try? NSRegularExpression(pattern: pattern),
            let match = expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)),
            let range = Range(match.range(at: 1), in: text)
        else { return nil }
        return .string(String(text[range]))
    }
}
