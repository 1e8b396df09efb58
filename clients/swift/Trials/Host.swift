import Foundation
import PosternClient

/// Hosts as tests need them, in processes of their own.
enum Host {
    /// Has a Postern, and a child that it has started afterwards, and stays until it is killed.
    static func stay() async throws -> Never {
        let postern = try Postern(data: ":memory:")
        _ = try await postern.system.info()
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/bin/sleep")
        other.arguments = ["60"]
        try other.run()
        // At once, although it goes to a pipe.
        FileHandle.standardOutput.write(Data("\(postern.processIdentifier) \(other.processIdentifier)\n".utf8))
        while true { try await Task.sleep(for: .seconds(60)) }
    }

    /// Is never told how its children end, kills one, and prints what its next call ends with.
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

    /// Writes to a program that has closed its input, where SIGPIPE ends a process, and prints what its call ends with.
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
}
