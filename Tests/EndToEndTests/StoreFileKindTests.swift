import Foundation
import JSON
import PosternTesting
import Testing

/// Store files that are not the files that they were: of another kind, or cut.
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
        #expect(try PosternProcess.run(["merge"] + data).status == 0)
        try session.expectToWork(server, "Second")
        server.finish()
    }

    private func make(_ kind: Kind, at path: String) throws {
        switch kind {
        case .pipe: try #require(mkfifo(path, 0o600) == 0)
        case .directory: try #require(mkdir(path, 0o700) == 0)
        case .socket:
            // The name of a socket is short: it is bound from its own directory.
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

    /// A named pipe in place of a file made the program wait for its other end.
    @Test(
        arguments: ["manifest.json", "journal-2.jsonl", "base-2.jsonl", "lock", "lock.sync"],
        Kind.allCases
    )
    func refusesWhatIsNoFile(name: String, kind: Kind) throws {
        try makeStore()
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
        try make(kind, at: "\(path)/\(name)")
        let commands = [["stats"], ["check"], ["call", "system.info"], ["backup", folder.path("copy")]]
        for command in commands {
            let start = ContinuousClock.now
            let outcome = try PosternProcess.run(command + data, shell: #"exec timeout 10 "$@""#)
            #expect(ContinuousClock.now - start < .seconds(5), "\(command)")
            #expect(outcome.status == 1, "\(command): \(outcome.output)")
            let complaint = outcome.errors + outcome.output
            #expect(complaint.contains(name) && complaint.contains("not a regular file"), "\(command): \(complaint)")
        }
    }

    // MARK: A journal that lost its end

    private var journal: String { path + "/journal-2.jsonl" }

    private func cutLastLine() throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: journal))
        let end = try #require(bytes.dropLast().lastIndex(of: 0x0A))
        try #require(truncate(journal, off_t(end + 1)) == 0)
    }

    /// The journal was whole up to its new end, so that ten accounts of twenty were gone without a word.
    @Test func refusesAJournalWhoseSyncedEndIsGone() throws {
        try makeStore()
        try cutLastLine()
        let bytes = try FileState(journal).bytes
        for command in [["stats"], ["call", "system.info"], ["merge"], ["export"], ["check"]] {
            let outcome = try PosternProcess.run(command + data)
            #expect(outcome.status == 1, "\(command): \(outcome.output)")
            let complaint = outcome.errors + outcome.output
            #expect(complaint.contains("it ends before byte") && complaint.contains("postern salvage"), "\(complaint)")
            #expect(try FileState(journal).bytes == bytes)
        }
        let salvage = try PosternProcess.run(["salvage", folder.path("saved")] + data)
        #expect(salvage.output.contains("saved: "), "\(salvage.errors)")
        #expect(try PosternProcess.run(["check", "--data", folder.path("saved")]).status == 0)
    }

    @Test(.enabled(if: OtherUser.isAvailable, "takes root and setpriv"))
    func refusesItToAReaderAsWell() throws {
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

    /// A crash of the system may lose what no sync was made for; the program then opens as if it had not been written.
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
