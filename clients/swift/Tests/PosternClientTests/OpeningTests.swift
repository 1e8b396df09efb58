import Foundation
import PosternClient
import Testing

/// Opening if the program cannot serve.
struct OpeningTests {
    @Test(arguments: [["--no-such-flag"], ["--data", "/dev/null/nowhere"]])
    func aProgramThatCannotServeFailsToOpen(arguments: [String]) {
        let error = #expect(throws: PosternError.self) {
            try Postern(binary: Binaries.postern, arguments: arguments, onLog: { _ in })
        }
        #expect(error?.end?.lastLogLines.last?.contains(arguments.last ?? "") == true)
    }

    @Test func aDamagedStoreFailsToOpen() async throws {
        try await withStore { folder in
            try Data("no manifest\n".utf8).write(to: folder.appendingPathComponent("manifest.json"))
            let error = #expect(throws: PosternError.self) {
                try Postern(data: folder.path, binary: Binaries.postern, onLog: { _ in })
            }
            #expect(error?.end?.lastLogLines.last?.contains("manifest.json") == true)
        }
    }

    /// Another process holds the lock and is stopped.
    @Test func aLockedStoreFailsToOpen() async throws {
        try await withStore { folder in
            let (holder, output) = (Process(), Pipe())
            holder.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            let lock = folder.appendingPathComponent("lock").path
            holder.arguments = ["flock", "--no-fork", lock, "sh", "-c", "echo held; kill -STOP $$"]
            holder.standardOutput = output
            try holder.run()
            #expect(output.fileHandleForReading.availableData == Data("held\n".utf8))
            let error = #expect(throws: PosternError.self) {
                try Postern(
                    data: folder.path,
                    binary: Binaries.postern,
                    arguments: ["--lock-wait", "1"],
                    onLog: { _ in }
                )
            }
            kill(holder.processIdentifier, SIGKILL)
            holder.waitUntilExit()
            #expect(error?.end?.lastLogLines.last?.contains("is in use by process") == true)
            let postern = try Postern(data: folder.path, binary: Binaries.postern)
            await postern.close()
        }
    }

    /// Calls `body` with a folder that has a closed store.
    private func withStore(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer {
            do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
        }
        let postern = try Postern(data: folder.path, binary: Binaries.postern)
        await postern.close()
        try await body(folder)
    }
}

/// The debug output of values that have secrets.
struct RedactedTests {
    @Test func debugOutputHasNoSecrets() {
        let person = OperatorsPerson(id: 1, created: "now", firstName: "Luke", lastName: "S", email: "lasoren@bu.edu")
        let operatorOne = OperatorsOperator(id: 7, created: "now", user: person, sessionID: "a secret")
        var dumped = ""
        dump(operatorOne, to: &dumped)
        let texts = [
            "\(operatorOne)", String(reflecting: operatorOne), String(describing: [operatorOne]),
            "\(Optional(operatorOne) as Any)", String(describing: (1, operatorOne)), dumped,
        ]
        for text in texts {
            #expect(!text.contains("a secret"))
            #expect(text.contains("[redacted]"))
            #expect(text.contains("Luke"))
        }
    }
}
