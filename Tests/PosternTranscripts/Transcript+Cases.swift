import Foundation
package import JSON
package import Transcripts

// The package's own transcripts, and what tests ask of them.

extension Transcript {
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

    /// The error for a folder without transcripts, which would test nothing.
    package struct NothingToPlay: Error {
        package let path: String
    }

    /// All transcripts of a folder, sorted by name.
    package static func all(in folder: String = folder) throws -> [Transcript] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".jsonl") }
        guard !names.isEmpty else { throw NothingToPlay(path: folder) }
        return try names.sorted().map { name in
            let file = URL(fileURLWithPath: folder).appendingPathComponent(name)
            return try Transcript(parsing: [UInt8](Data(contentsOf: file)), name: name)
        }
    }

    /// The path of one of the package's own transcripts.
    package var path: String { "\(Self.folder)/\(name)" }

    /// The methods that the transcript calls.
    package var methods: Set<String> { Set(steps.compactMap(\.method)) }

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
                guard let method = step.method else { return [] }
                return step.slugs.map { Refusal(method: method, slug: $0) }
            }
        )
    }

    /// The error slugs that the transcript expects.
    package var slugs: Set<String> { Set(steps.flatMap(\.slugs)) }

    /// Plays the transcript, and returns the differences from what is expected.
    ///
    /// - Parameter reply: sends a request and returns its reply; nil if the step expects none.
    package func play(_ reply: (JSONValue, TranscriptStep) async throws -> JSONValue?) async throws -> [String] {
        var run = TranscriptRun()
        var failures: [String] = []
        for step in steps {
            for _ in 0..<step.count {
                var got: JSONValue?
                do {
                    guard let request = try run.message(of: step) else {
                        failures.append("\(name):\(step.line): nothing is sent, which this player cannot do")
                        continue
                    }
                    got = try await reply(request, step)
                    guard step.expected != nil else { continue }
                    guard let got else {
                        failures.append("\(name):\(step.line): no reply")
                        continue
                    }
                    try run.check(got, of: step)
                } catch let failure as TranscriptRun.Failure {
                    failures.append("\(name):\(step.line): \(failure.reason); got \(got?.text ?? "nothing")")
                }
            }
        }
        return failures
    }
}

extension TranscriptStep {
    /// The slugs of the error that the step expects.
    fileprivate var slugs: [String] { expected?["error"]?["data"]?["errors"]?.array?.compactMap(\.string) ?? [] }
}
