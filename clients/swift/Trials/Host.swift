import Foundation
import PosternClient

/// Hosts that tests run as processes.
enum Host {
    /// Opens a client, starts another child after it, prints both process ids, and waits until it is killed.
    static func stay() async throws -> Never {
        let postern = try Postern(data: ":memory:")
        _ = try await postern.system.info()
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/bin/sleep")
        other.arguments = ["60"]
        try other.run()
        // Not with `print`, which buffers output to a pipe.
        FileHandle.standardOutput.write(Data("\(postern.processIdentifier) \(other.processIdentifier)\n".utf8))
        while true { try await Task.sleep(for: .seconds(60)) }
    }

    /// Ignores SIGCHLD, so that the system keeps no exit code; kills the process, and prints the error of the next
    /// call.
    static func unaware() async throws {
        signal(SIGCHLD, SIG_IGN)
        let postern = try Postern(data: ":memory:")
        _ = try await postern.system.info()
        kill(postern.processIdentifier, SIGKILL)
        do throws(PosternError) {
            print(try await postern.call("a"))
        } catch {
            print(error)
        }
        await postern.close()
    }

    /// Calls a program that has closed its input, with the default action for SIGPIPE, and prints the error of the
    /// call.
    static func outlive() async throws {
        signal(SIGPIPE, SIG_DFL)
        let (lines, continuation) = AsyncStream<String>.makeStream()
        let postern = try Postern(waitsUntilReady: false, onLog: { continuation.yield($0) })
        for await line in lines where line == "closed" { break }
        do throws(PosternError) {
            print(try await postern.call("a"))
        } catch {
            print(error)
        }
        await postern.close()
    }

    /// Opens clients with a growing limit of descriptors, starting with none free, and prints the outcomes.
    static func scrimp() async throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        // After this, the descriptors that the runtime opens once are open.
        guard await opening() == "opened" else { return print("no client opens at all") }
        try await Task.sleep(for: .milliseconds(10))
        let before = try descriptorCount()
        var outcomes: [String] = []
        for most in (before - 1)..<(before + 20) {
            var low = rlimit(rlim_cur: rlim_t(most), rlim_max: limit.rlim_max)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &low)
            let outcome = await opening()
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            if !outcomes.contains(outcome) { outcomes.append(outcome) }
            // A thread of the client may close its pipe a moment later.
            for _ in 0..<200 where try descriptorCount() != before { try await Task.sleep(for: .milliseconds(10)) }
            guard try descriptorCount() == before else {
                return print("with \(most) descriptors, \(before) became \(try descriptorCount())")
            }
        }
        let isAlone = waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD
        print(outcomes.joined(separator: " and ") + (isAlone ? ", and no process is left" : ", and a process is left"))
    }

    private static func opening() async -> String {
        do throws(PosternError) {
            let postern = try Postern(data: ":memory:", onLog: { _ in })
            await postern.close()
            return "opened"
        } catch {
            switch error {
            case .notStarted, .processEnded: return "refused"
            default: return error.description
            }
        }
    }

    private static func descriptorCount() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
}
