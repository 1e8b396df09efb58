import Foundation
package import JSON

/// A story of requests and replies, kept as a file of one JSON object a line: what is sent, what is expected, and what
/// is kept of the reply for later lines, where `{{name}}` stands for it.
package struct Transcript: CustomStringConvertible, Sendable {
    /// A request, and what is to come of it.
    package struct Step: Sendable {
        /// Its line in the file, from 1.
        package let line: Int
        /// What is expected of the reply; nil where none is to come.
        package let expected: JSONValue?
        fileprivate let request: JSONValue
        fileprivate let kept: [JSONValue.Member]
        fileprivate let count: Int
    }

    /// The file's name.
    package let name: String
    package var description: String { name }
    /// The flags that it wants, behind those of every rehearsal.
    package let arguments: [String]
    package let steps: [Step]

    /// What every rehearsal is started with.
    package static let rehearsal = ["--data", ":memory:", "--clock", "2016-02-24T22:07:52.371513Z", "--seed", "7"]

    /// Where the package's own transcripts are.
    package static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("schema/cases").path

    /// A folder without transcripts, or a transcript without steps: nothing would be tested.
    package struct NothingToPlay: Error {
        package let path: String
    }

    /// All transcripts of a folder, by name.
    package static func all(in folder: String = folder) throws -> [Transcript] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".jsonl") }
        guard !names.isEmpty else { throw NothingToPlay(path: folder) }
        return try names.sorted().map { try Transcript(URL(fileURLWithPath: folder).appendingPathComponent($0)) }
    }

    private init(_ file: URL) throws {
        name = file.lastPathComponent
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            .map { try JSONValue(parsing: String($0)) }
        arguments = lines.first?["arguments"]?.array?.compactMap(\.string) ?? []
        steps = lines.enumerated().compactMap { index, line in
            line["send"].map { request in
                Step(
                    line: index + 1,
                    expected: line["expect"],
                    request: request,
                    kept: line["keep"]?.object ?? [],
                    count: line["repeat"]?.int ?? 1
                )
            }
        }
        guard steps.contains(where: { $0.count > 0 }) else { throw NothingToPlay(path: file.path) }
    }

    /// The methods that it sends.
    package var methods: Set<String> { Set(steps.compactMap { $0.request["method"]?.string }) }

    /// A method, and the slug of an error that it answers with.
    package struct Refusal: Hashable, CustomStringConvertible, Sendable {
        package let method: String
        package let slug: String
        package var description: String { "\(method) \(slug)" }

        package init(method: String, slug: String) {
            self.method = method
            self.slug = slug
        }
    }

    /// The errors that it expects of each method.
    package var refusals: Set<Refusal> {
        Set(
            steps.flatMap { step -> [Refusal] in
                guard let method = step.request["method"]?.string else { return [] }
                let slugs = step.expected?["error"]?["data"]?["errors"]?.array ?? []
                return slugs.compactMap(\.string).map { Refusal(method: method, slug: $0) }
            }
        )
    }

    /// The error slugs that it expects.
    package var slugs: Set<String> {
        Set(steps.flatMap { $0.expected?["error"]?["data"]?["errors"]?.array?.compactMap(\.string) ?? [] })
    }

    /// Plays it, and gives what was not as expected.
    ///
    /// - Parameter reply: sends a request and gives its reply; nil where the step expects none.
    package func play(_ reply: (JSONValue, Step) async throws -> JSONValue?) async rethrows -> [String] {
        var kept: [String: JSONValue] = [:]
        var failures: [String] = []
        for step in steps {
            for _ in 0..<step.count {
                let reply = try await reply(step.request.filled(with: kept), step)
                guard let expected = step.expected else { continue }
                guard let reply else {
                    failures.append("\(name):\(step.line): no reply")
                    continue
                }
                if !reply.matches(expected.filled(with: kept)) {
                    failures.append("\(name):\(step.line): got \(reply.text)")
                }
                for member in step.kept {
                    kept[member.name] = member.value.found(in: reply)
                    if kept[member.name] == nil {
                        failures.append("\(name):\(step.line): nothing to keep as \(member.name)")
                    }
                }
            }
        }
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
