import Foundation
import PosternClient
import PosternTesting
import Synchronization

/// The executables that the tests start.
enum Binaries {
    /// The Postern binary: the one that POSTERN_BIN names, or else the one that was built with the tests.
    static let postern = ProcessInfo.processInfo.environment["POSTERN_BIN"] ?? PosternProcess.binary.path

    /// PosternClientTrials, which is built with the tests.
    static let trials = PosternProcess.binary.deletingLastPathComponent().appendingPathComponent("PosternClientTrials")
        .path

    /// Runs a command of the Postern binary to its end.
    static func run(_ arguments: [String]) throws -> PosternProcess.Outcome {
        try PosternProcess.run(arguments, binary: URL(fileURLWithPath: postern))
    }

    /// A script that replaces the Postern binary.
    static func fake(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fakes/\(name)").path
    }
}

extension Postern {
    /// Opens a client of the Postern binary, with a store in memory.
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

/// Collects the lines of a log.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    private let stream = AsyncStream<String>.makeStream()

    func add(_ line: String) {
        lines.withLock { $0.append(line) }
        stream.continuation.yield(line)
    }

    var all: [String] { lines.withLock { $0 } }

    /// The next line; nil if none arrives within ten seconds.
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

/// Waits up to so many seconds until the condition is true; returns whether it is.
func becomesTrue(within seconds: Int, _ condition: () -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !condition() {
        guard ContinuousClock.now < deadline else { return false }
        try await Task.sleep(for: .milliseconds(5))
    }
    return true
}

/// Whether a process with that id exists.
func isAlive(_ process: Int32) -> Bool { kill(process, 0) == 0 }

/// The error that a body throws; nil if it throws none.
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
