import Foundation
package import JSON

/// A transcript: requests and their expected replies, in a file with one JSON object a line. A step may keep values
/// of its reply, and `{{name}}` in later lines stands for a kept value.
package struct Transcript: CustomStringConvertible, Sendable {
    /// A request and its expected reply.
    package struct Step: Sendable {
        /// Its line in the file, from 1.
        package let line: Int
        /// The expected reply; nil if none is expected.
        package let expected: JSONValue?
        fileprivate let request: JSONValue
        fileprivate let kept: [JSONValue.Property]
        fileprivate let count: Int
    }

    /// The file's name.
    package let name: String
    package var description: String { name }
    /// The transcript's additional flags.
    package let arguments: [String]
    package let steps: [Step]

    /// The flags that start deterministic mode.
    package static var deterministicFlags: [String] {
        get throws {
            let text = try String(contentsOfFile: folder + "/flags.txt", encoding: .utf8)
            return text.split(whereSeparator: \.isWhitespace).map { String($0) }
        }
    }

    /// The folder of the package's own transcripts.
    package static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("schema/cases").path

    /// The error for a folder without transcripts, or a transcript without steps, which would test nothing.
    package struct NothingToPlay: Error {
        package let path: String
    }

    /// All transcripts of a folder, sorted by name.
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

    /// The methods that the transcript calls.
    package var methods: Set<String> { Set(steps.compactMap { $0.request["method"]?.string }) }

    /// A method, and the slug of one of its errors.
    package struct Refusal: Hashable, CustomStringConvertible, Sendable {
        package let method: String
        package let slug: String
        package var description: String { "\(method) \(slug)" }

        package init(method: String, slug: String) {
            self.method = method
            self.slug = slug
        }
    }

    /// The errors that the transcript expects, with their methods.
    package var refusals: Set<Refusal> {
        Set(
            steps.flatMap { step -> [Refusal] in
                guard let method = step.request["method"]?.string else { return [] }
                let slugs = step.expected?["error"]?["data"]?["errors"]?.array ?? []
                return slugs.compactMap(\.string).map { Refusal(method: method, slug: $0) }
            }
        )
    }

    /// The error slugs that the transcript expects.
    package var slugs: Set<String> {
        Set(steps.flatMap { $0.expected?["error"]?["data"]?["errors"]?.array?.compactMap(\.string) ?? [] })
    }

    /// Plays the transcript, and returns the differences from what is expected.
    ///
    /// - Parameter reply: Sends a request and returns its reply; nil if the step expects none.
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
                for property in step.kept {
                    kept[property.name] = property.value.found(in: reply)
                    if kept[property.name] == nil {
                        failures.append("\(name):\(step.line): nothing to keep as \(property.name)")
                    }
                }
            }
        }
        return failures
    }
}

extension JSONValue {
    /// The value with every `{{name}}` replaced by the value kept under that name.
    fileprivate func filled(with kept: [String: JSONValue]) -> JSONValue {
        switch self {
        case .string(let text):
            if let value = kept.first(where: { "{{\($0.key)}}" == text })?.value { return value }
            return .string(
                kept.reduce(text) { $0.replacingOccurrences(of: "{{\($1.key)}}", with: $1.value.string ?? "") }
            )
        case .array(let elements): return .array(elements.map { $0.filled(with: kept) })
        case .object(let properties): return .object(properties.map { Property($0.name, $0.value.filled(with: kept)) })
        default: return self
        }
    }

    /// Placeholders for strings that differ each time, with their patterns.
    private static let patterns = [
        "<time>": #"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"#,
        "<hex 32>": "[0-9a-f]{32}",
        "<hex 64>": "[0-9a-f]{64}",
        "<hex 128>": "[0-9a-f]{128}",
        "<uuid>": "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    ]

    /// Whether the value matches a transcript's expectation. The order of properties is ignored.
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
                && right.allSatisfy { property in self[property.name]?.matches(property.value) ?? false }
        default: return self == expected
        }
    }

    /// The value that a `keep` entry finds in a reply: the value at a pointer,
    /// or the first group of a pattern in the string there.
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
