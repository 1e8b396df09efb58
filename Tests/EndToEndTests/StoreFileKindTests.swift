import Foundation
import JSON
import PosternTesting
import Testing

/// Store files that were replaced by another kind of file, or truncated.
struct StoreFileKindTests {
    private let folder = TemporaryDirectory()
    private var path: String { folder.path("store") }
    private var data: [String] { ["--data", path] }

    enum Kind: CaseIterable {
        case pipe, directory, socket
    }

    private func makeStore() throws {
        let server = try PosternProcess(data)
        let session = try CareSession(server)
        try session.expectToWork(server, "First")
        #expect(try PosternProcess.run(["compact"] + data).status == 0)
        try session.expectToWork(server, "Second")
        server.finish()
    }

    private func make(_ kind: Kind, at path: String) throws {
        switch kind {
        case .pipe: try #require(mkfifo(path, 0o600) == 0)
        case .directory: try #require(mkdir(path, 0o700) == 0)
        case .socket:
            // A socket's path has a short limit, so the socket is bound from its own directory.
            let script = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])"
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["python3", "-c", script, (path as NSString).lastPathComponent]
            process.currentDirectoryURL = URL(fileURLWithPath: (path as NSString).deletingLastPathComponent)
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0)
        }
    }

    /// With a named pipe in place of a file, the program once waited for the other end of the pipe.
    @Test(
        arguments: ["manifest.json", "journal-2.jsonl", "base-2.jsonl", "lock", "lock.sync"],
        Kind.allCases
    )
    func refusesAFileThatIsNotRegular(name: String, kind: Kind) throws {
        try makeStore()
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
        try make(kind, at: "\(path)/\(name)")
        let commands = [["stats"], ["check"], ["call", "system.info"], ["backup", folder.path("copy")]]
        for command in commands {
            let start = ContinuousClock.now
            let outcome = try PosternProcess.run(command + data, shell: #"exec timeout 10 "$@""#)
            #expect(ContinuousClock.now - start < .seconds(5), "\(command)")
            #expect(outcome.status == 1, "\(command): \(outcome.output)")
            let message = outcome.errors + outcome.output
            #expect(message.contains(name) && message.contains("not a regular file"), "\(command): \(message)")
        }
    }

    // MARK: A journal that lost its end

    private var journal: String { path + "/journal-2.jsonl" }

    private func cutLastLine() throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: journal))
        let end = try #require(bytes.dropLast().lastIndex(of: 0x0A))
        try #require(truncate(journal, off_t(end + 1)) == 0)
    }

    /// The journal is whole up to its new end, so ten of twenty accounts were once lost without an error.
    @Test func refusesAJournalThatLostItsSyncedEnd() throws {
        try makeStore()
        try cutLastLine()
        let bytes = try FileState(journal).bytes
        for command in [["stats"], ["call", "system.info"], ["compact"], ["export"], ["check"]] {
            let outcome = try PosternProcess.run(command + data)
            #expect(outcome.status == 1, "\(command): \(outcome.output)")
            let message = outcome.errors + outcome.output
            #expect(message.contains("it ends before byte") && message.contains("postern salvage"), "\(message)")
            #expect(try FileState(journal).bytes == bytes)
        }
        let salvage = try PosternProcess.run(["salvage", folder.path("saved")] + data)
        #expect(salvage.output.contains("saved: "), "\(salvage.errors)")
        #expect(try PosternProcess.run(["check", "--data", folder.path("saved")]).status == 0)
    }

    @Test(.enabled(if: OtherUser.isAvailable, "takes root and setpriv"))
    func refusesSuchAJournalToAReadOnlyUserToo() throws {
        try makeStore()
        chmod(path, 0o755)
        for name in try FileManager.default.contentsOfDirectory(atPath: path) { chmod("\(path)/\(name)", 0o644) }
        let whole = try PosternProcess.run(["stats"] + data, shell: OtherUser.shell())
        #expect(whole.status == 0, "\(whole.errors)")
        try cutLastLine()
        for command in ["stats", "check"] {
            let outcome = try PosternProcess.run([command] + data, shell: OtherUser.shell())
            #expect(
                outcome.status == 1 && (outcome.errors + outcome.output).contains("it ends before byte"),
                "\(command)"
            )
        }
    }

    /// A system crash may lose lines that were not synced. The program then opens the store without them.
    @Test func opensAJournalThatLostAnUnsyncedEnd() throws {
        try makeStore()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: journal))
        let torn = bytes + Data(#"{"n":99,"w":[["unsynced","#.utf8)
        for cut in 0...8 {
            try torn.dropLast(cut * 3).write(to: URL(fileURLWithPath: journal))
            #expect(try PosternProcess.run(["stats"] + data).status == 0, "cut by \(cut * 3)")
        }
        #expect(try PosternProcess.run(["check"] + data).status == 0)
    }
}
