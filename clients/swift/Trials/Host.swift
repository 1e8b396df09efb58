import Foundation
import PosternClient

/// A host as it is killed in a test: it has a Postern, and a child that it has started afterwards.
enum Host {
    static func run() async throws -> Never {
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
}
