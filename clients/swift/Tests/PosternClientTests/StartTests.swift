import Foundation
import Synchronization
import Testing
import Platform

@testable import PosternClient

/// Starts and failed starts of a process.
struct StartTests {
    @Test func theErrorForAMissingBinaryListsThePlaces() throws {
        #expect(throws: PosternError.binaryNotFound(places: ["/nowhere/postern"])) {
            try Postern(binary: "/nowhere/postern")
        }
        #expect(throws: PosternError.binaryNotFound(places: ["/etc/passwd"])) { try Postern(binary: "/etc/passwd") }
        let error = #expect(throws: PosternError.self) { try Postern(binary: "no-such-program") }
        #expect(error?.description.contains("/usr/bin/no-such-program") == true)
    }

    @Test func argumentsAndVariablesWithAZeroByteAreRefused() throws {
        let isNotStarted = { (error: any Error) in if case .notStarted? = error as? PosternError { true } else { false }
        }
        #expect(performing: { try Postern(data: "a\0b", binary: Binaries.postern) }, throws: isNotStarted)
        let environment = ["A": "b\0c"]
        #expect(performing: { try Postern(binary: Binaries.postern, environment: environment) }, throws: isNotStarted)
    }

    /// Ctrl-C then reaches only the host.
    @Test func theProcessHasItsOwnGroupAndBlocksNoSignals() async throws {
        let postern = try startWithSignalsBlocked()
        _ = try await postern.system.info()
        let process = postern.processIdentifier
        #expect(getpgid(process) == process)
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        #expect(status.contains("SigBlk:\t0000000000000000\n"))
        await postern.close()
    }

    private func startWithSignalsBlocked() throws -> Postern {
        var (signals, before) = (sigset_t(), sigset_t())
        sigemptyset(&signals)
        sigaddset(&signals, SIGUSR1)
        pthread_sigmask(SIG_BLOCK, &signals, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        return try Postern()
    }

    /// No process inherits the pipes of another, so that each ends while others run.
    @Test func manyProcessesCanStartAtTheSameTime() async throws {
        let posterns = try await withThrowingTaskGroup { group in
            for _ in 0..<50 {
                group.addTask {
                    let postern = try Postern()
                    #expect(try await postern.system.info().name == "postern")
                    return postern
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let start = ContinuousClock.now
        for postern in posterns { await postern.close() }
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test(arguments: 0..<5)
    func noPipeIsLeftOpenIfAThreadCannotStart(started: Int) async throws {
        let mark = UUID().uuidString
        let command = Command(path: Binaries.fake("late"), arguments: [mark], environment: [:])
        let count = Mutex(0)
        let pipes = Mutex<Set<String>>([])
        #expect(throws: PosternError.notStarted("no thread could be started")) {
            try Connection(command, onLog: { _ in }) { body in
                let isLast = count.withLock { count in
                    count += 1
                    return count > started
                }
                guard isLast else { return Platform.Thread.start(body) }
                // The arguments of a process are visible only a moment after its start.
                for _ in 0..<1_000 where Self.process(with: mark) == nil { usleep(5_000) }
                pipes.withLock { $0 = Self.pipes(["0", "1", "2"], of: Self.process(with: mark) ?? "") }
                return false
            }
        }
        let theirs = pipes.withLock { $0 }
        #expect(theirs.count == 3)
        #expect(try await becomesTrue(within: 60) { Self.pipes(of: "self").isDisjoint(with: theirs) })
    }

    /// The id of the process that has an argument.
    private static func process(with argument: String) -> String? {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.first { process in
            guard Int(process) != nil else { return false }
            let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            return words.range(of: Data(argument.utf8)) != nil
        }
    }

    /// The pipes of these descriptors of a process, or of all its descriptors.
    private static func pipes(_ descriptors: [String]? = nil, of process: String) -> Set<String> {
        let folder = "/proc/\(process)/fd"
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let targets = (descriptors ?? all).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
        return Set(targets.filter { $0.hasPrefix("pipe:") })
    }
}
