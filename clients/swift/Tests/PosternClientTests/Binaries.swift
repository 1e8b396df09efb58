import Foundation
import PosternClient
import PosternTesting
import Synchronization

/// What the tests start.
enum Binaries {
    /// The real program: what POSTERN_BIN names, or the one that was built with the tests.
    static let postern = ProcessInfo.processInfo.environment["POSTERN_BIN"] ?? PosternProcess.binary.path

    /// The trials, which were built with the tests.
    static let trials = PosternProcess.binary.deletingLastPathComponent().appendingPathComponent("PosternClientTrials")
        .path

    /// A script that stands in for the program.
    static func fake(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fakes/\(name)").path
    }
}

extension Postern {
    /// The real program, in memory.
    convenience init(arguments: [String] = []) throws(PosternError) {
        try self.init(
            data: ":memory:",
            binary: Binaries.postern,
            arguments: ["--no-email-confirmation"] + arguments
        )
    }

    func registerLuke() async throws(PosternError) -> OperatorsOperator {
        let person = OperatorsPersonInput(firstName: "Luke", lastName: "Sorenson", email: "lasoren@bu.edu")
        return try await operators.register(user: person, password: "a long password")
    }
}

/// The lines of a log, as they come.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    private let stream = AsyncStream<String>.makeStream()

    func add(_ line: String) {
        lines.withLock { $0.append(line) }
        stream.continuation.yield(line)
    }

    var all: [String] { lines.withLock { $0 } }

    /// The next line; nil where there is none within ten seconds.
    func next() async -> String? {
        let deadline = Task { [stream] in
            try await Task.sleep(for: .seconds(10))
            stream.continuation.finish()
        }
        defer { deadline.cancel() }
        for await line in stream.stream { return line }
        return nil
    }
}

/// Waits until something is so, for so many seconds at the most; whether it is.
func becomesTrue(within seconds: Int, _ condition: () -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !condition() {
        guard ContinuousClock.now < deadline else { return false }
        try await Task.sleep(for: .milliseconds(5))
    }
    return true
}

/// Whether there is a process of that number.
func isAlive(_ process: Int32) -> Bool { kill(process, 0) == 0 }

/// What a body fails with; nil where it does not.
func failure<Value>(of body: () async throws -> Value) async -> PosternError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? PosternError
    }
}

extension PosternError {
    var callError: CallError? {
        guard case .call(let error) = self else { return nil }
        return error
    }

    var end: ProcessEnded? {
        guard case .processEnded(let end) = self else { return nil }
        return end
    }
}
