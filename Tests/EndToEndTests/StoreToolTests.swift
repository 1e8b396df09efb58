import Foundation
import JSON
import PosternTesting
import Testing

/// The commands that check, copy and repair a store, while servers use it.
struct StoreToolTests {
    private let folder = TemporaryDirectory()

    private var data: [String] { ["--data", folder.path("store")] }

    private func register(_ number: Int, _ postern: PosternProcess) throws -> JSONValue {
        try postern.reply(
            to: "care.user.register",
            ["email": .string("c\(number)@b.co"), "password": "p", "role": "user"]
        )
    }

    /// A server on a store that was compacted and has newer transactions.
    private func serving() throws -> PosternProcess {
        let postern = try PosternProcess(data)
        for number in 1...3 { #expect(try register(number, postern)["result"] != nil) }
        #expect(try PosternProcess.run(["compact"] + data).status == 0)
        #expect(try register(4, postern)["result"] != nil)
        return postern
    }

    private func users(in store: String) throws -> String {
        let statistics = try PosternProcess.run(["stats", "--data", folder.path(store)]).output
        return statistics.split(separator: "\n").first { $0.hasPrefix("care.users") }.map { String($0) } ?? ""
    }

    @Test func compactsChecksAndCopiesBesideAServer() throws {
        let postern = try serving()
        let check = try PosternProcess.run(["check"] + data)
        #expect(check.status == 0 && check.errors == "")
        #expect(check.output == "sound: 86 entries of 4 transactions")
        let backup = try PosternProcess.run(["backup", folder.path("copy")] + data)
        #expect(backup.status == 0 && backup.output == "" && backup.errors == "")
        #expect(try register(5, postern)["result"] != nil)
        #expect(try users(in: "copy") == "care.users: 4")
        #expect(try users(in: "store") == "care.users: 5")
        let again = try PosternProcess.run(["backup", folder.path("copy")] + data)
        #expect(again.status == 1 && again.errors.contains("\(folder.path("copy")) already exists"))
        #expect(try PosternProcess.run(["check", "--data", folder.path("copy")]).status == 0)
        #expect(try PosternProcess.run(["compact"] + data).status == 0)
        let signIn: JSONValue = ["email": "c5@b.co", "password": "p"]
        #expect(try postern.reply(to: "care.auth.token", signIn)["result"] != nil)
    }

    @Test func importsAnEditedExport() throws {
        _ = try serving()
        let exported = try PosternProcess.run(["export"] + data)
        #expect(exported.status == 0 && exported.errors == "")
        let edited = exported.output.replacing("c3@b.co", with: "changed@b.co")
        #expect(edited != exported.output)
        let imported = try PosternProcess.run(["import", "--data", folder.path("new")], input: edited)
        #expect(imported.status == 0 && imported.output == "imported: 33 records into \(folder.path("new"))")
        #expect(try PosternProcess.run(["check", "--data", folder.path("new")]).status == 0)
        let next = try PosternProcess(["--data", folder.path("new")])
        let signIn: JSONValue = ["email": "changed@b.co", "password": "p"]
        #expect(try next.reply(to: "care.auth.token", signIn)["result"] != nil)
        #expect(try register(6, next)["result"] != nil)

        // One error in the file, and no store is created.
        let slip = edited.replacing(#""email":"c2@b.co""#, with: #""email":"c1@b.co""#)
        let file = folder.path("slip.jsonl")
        try slip.write(toFile: file, atomically: true, encoding: .utf8)
        let refused = try PosternProcess.run(["import", file, "--data", folder.path("other")])
        #expect(refused.status == 1 && refused.output == "")
        #expect(refused.errors.contains("line 11: care.users/email/c1@b.co already belongs to the record of line 10\n"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("other")))
        let taken = try PosternProcess.run(["import", "--data", folder.path("new")], input: edited)
        #expect(taken.status == 1 && taken.errors.contains(" already exists"))
    }

    @Test(arguments: ["base-2.jsonl", "journal-2.jsonl"])
    func reportsDamageAndSavesTheRest(name: String) throws {
        let postern = try serving()
        #expect(try register(5, postern)["result"] != nil)
        postern.finish()
        let file = URL(fileURLWithPath: folder.path("store/\(name)"))
        var bytes = try Data(contentsOf: file)
        // In a user record: in the third line of users of the base,
        // or in the last transaction but one of the journal.
        let mark = Data(#""care.users/id/"#.utf8)
        let place = try #require(bytes.range(of: mark)).lowerBound + 60
        bytes[place] ^= 1
        try bytes.write(to: file)
        let line = bytes[..<place].count { $0 == 0x0A } + 1
        let start = (bytes[..<place].lastIndex(of: 0x0A) ?? -1) + 1

        let refused = try PosternProcess.run(["stats"] + data)
        #expect(refused.status == 1 && refused.errors.contains("\(name) is damaged at byte \(start): line \(line) "))
        let check = try PosternProcess.run(["check"] + data)
        #expect(check.status == 1)
        #expect(check.output == "fault: \(name) is damaged at byte \(start): line \(line) does not match its checksum")
        #expect(check.errors.contains("postern salvage"))
        let salvage = try PosternProcess.run(["salvage", folder.path("saved")] + data)
        #expect(salvage.status == 1 && salvage.output.contains("lost: \(name) at byte \(start): a line is lost"))
        let saved = try PosternProcess.run(["check", "--data", folder.path("saved")])
        if name.hasPrefix("base") {
            // The lost line was a user, whose patient and share are saved nevertheless.
            #expect(salvage.output.contains("is saved, but breaks a rule: owner: there is no record care.users/id/"))
            #expect(saved.status == 1 && saved.errors.contains("has records that break rules"))
        } else {
            #expect(saved.status == 0)
        }
        #expect(try users(in: "saved") == "care.users: 4")
        // Salvage does not change the damaged file.
        #expect(try Data(contentsOf: file) == bytes)
    }

    /// The next account got the number of a lost account, and with it that account's patients and sessions. Or no
    /// account could be registered, because the number of a lost mail still had its text.
    @Test func neverReusesTheNumberOfALostAccount() throws {
        let postern = try PosternProcess(data)
        let alice = try CareSession(postern, email: "alice@b.co")
        try alice.expectToWork(postern, "Zebediah")
        postern.finish()
        #expect(try PosternProcess.run(["compact"] + data).status == 0)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("store"))
        let base = URL(fileURLWithPath: folder.path("store/\(try #require(files.first { $0.hasPrefix("base") }))"))
        let bytes = try Data(contentsOf: base)
        // Everything after the patients and shares is lost except sessions:
        // accounts, mails, and the counters of both.
        let lost = try #require(bytes.range(of: Data(#"["care.users/"#.utf8))).lowerBound
        let kept = try #require(bytes.range(of: Data(#"["sessions/"#.utf8))).lowerBound
        try (bytes[..<lost] + bytes[kept...]).write(to: base)
        let salvage = try PosternProcess.run(["salvage", folder.path("saved")] + data)
        #expect(salvage.output.contains("the counter care.users was lost or too low; it continues after 1"))
        #expect(salvage.output.contains("the counter outbox was lost or too low; it continues after"))

        let server = try PosternProcess(["--data", folder.path("saved")])
        let stranger = try CareSession(server, email: "stranger@b.co")
        try stranger.expectToWork(server, "Own")
        let seen = try server.reply(to: "care.patients.list", stranger.list)["result"]?.text
        #expect(seen?.contains("Zebediah") == false)
        #expect(try server.reply(to: "care.patients.list", alice.list)["error"]?["code"]?.int == 401)
    }

    @Test(arguments: [
        "check", "export", "compact", "stats", "backup", "salvage", "invite", "call system.info", "outbox list",
        "outbox show 1", "outbox deliver --mail directory:mails",
    ])
    func doesNotCreateAMissingStore(line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        let command = words[0]
        let to = ["backup", "salvage"].contains(command) ? [folder.path("to")] : []
        let outcome = try PosternProcess.run(words + to + data)
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(outcome.errors.hasPrefix("postern: there is no store at \(folder.path("store"));"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        guard words.count == 1, command != "invite" else { return }
        let memory = try PosternProcess.run([command] + to + ["--data", ":memory:"])
        #expect(memory.status == 64 && memory.errors.contains("postern \(command) needs a directory"))
    }

    /// The lines of an export with a number of invitations.
    private func exportOfInvitations(_ count: Int) -> String {
        let lines = (1...count).map { number in
            let hash = String(repeating: "0", count: 64 - 4) + String(format: "%04x", number)
            return #"{"collection":"sales.invitations","record":{"id":\#(number),"hash":"\#(hash)","role":"admin","#
                + #""uses_left":1,"created":"2026-01-01T00:00:00.000000Z","expires":"2026-01-08T00:00:00.000000Z"}}"#
        }
        let counter = #"{"counter":"sales.invitations","value":\#(count)}"#
        return ([counter] + lines + [#"{"end":true}"#]).joined(separator: "\n")
    }

    /// A large import gets a key, without which the first start would look for data of earlier versions everywhere.
    @Test func marksALargeImportAsUpdated() throws {
        func keys(after count: Int) throws -> Int {
            let data = ["--data", folder.path("store of \(count)")]
            let imported = try PosternProcess.run(["import"] + data, input: exportOfInvitations(count))
            #expect(imported.output.hasPrefix("imported: \(count) records"))
            #expect(try PosternProcess.run(["check"] + data).status == 0)
            let exported = try PosternProcess.run(["export"] + data).output
            // An export that has a key keeps it.
            let again = ["--data", folder.path("copy of \(count)")]
            #expect(try PosternProcess.run(["import"] + again, input: exported).status == 0)
            #expect(try PosternProcess.run(["export"] + again).output == exported)
            return exported.components(separatedBy: #"{"collection":"hash key""#).count - 1
        }
        #expect(try keys(after: 10_001) == 1)
        #expect(try keys(after: 10_000) == 0)
    }

    @Test func showsProgressOnlyOnATerminal() throws {
        try serving().finish()
        // Enough entries to show progress: each invitation has a record and three index entries.
        let count = 2_500
        let entries = "sound: \(4 * count + 1) entries"
        let big = ["--data", folder.path("big")]
        let imported = try PosternProcess.run(["import"] + big, input: exportOfInvitations(count))
        #expect(imported.status == 0 && imported.errors == "")
        let command = "\(PosternProcess.binary.path) check --data \(folder.path("big"))"
        let shown = try PosternProcess.run([], shell: "script -qec '\(command)' /dev/null")
        #expect(shown.output.contains("checking base-1.jsonl [") && shown.output.contains(entries))
        #expect(shown.output.contains("\r\u{1B}[K"))
        #expect(try PosternProcess.run(["check"] + big).output == "\(entries) of 0 transactions")
    }

    /// The command once did all of its work before the rename failed with "device busy".
    @Test(arguments: ["backup", "salvage", "import"], [".", "..", "./", "sub/.", "sub/..", "/"])
    func refusesAPathWithoutAName(command: String, path: String) throws {
        try serving().finish()
        try FileManager.default.createDirectory(atPath: folder.path("sub"), withIntermediateDirectories: true)
        let export = try PosternProcess.run(["export"] + data).output
        let words = command == "import" ? ["import", "--data", path] : [command, path] + data
        let shell = "cd '\(folder.path("sub"))'; exec \"$@\""
        let outcome = try PosternProcess.run(words, input: export, shell: shell)
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(
            outcome.errors
                == "postern: the path of a new store must end with the name of its directory, as in ./postern-data; "
                + "\(path) does not\n"
        )
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["store", "sub"])
    }

    /// The error of a backup or a compaction once followed the rest of the progress bar on its line.
    @Test(arguments: ["backup copy", "compact"])
    func endsTheProgressBarBeforeAnError(command: String) throws {
        let postern = try PosternProcess(data)
        #expect(try register(1, postern)["result"] != nil)
        postern.finish()
        // Enough entries for the bar to show.
        let lines = try PosternProcess.run(["export"] + data).output.split(separator: "\n")
        let user = try JSONValue(parsing: String(#require(lines.first { $0.contains(#"{"collection":"care.users""#) })))
        let properties = try #require(user["record"]?.object)
        let users = (1...3_000).map { number in
            let record = properties.map { property -> JSONValue.Property in
                switch property.name {
                case "id": JSONValue.Property("id", .number("\(number)"))
                case "email": JSONValue.Property("email", .string("c\(number)@b.co"))
                default: property
                }
            }
            return (["collection": "care.users", "record": .object(record)] as JSONValue).text
        }
        let export = [String(lines[0]), #"{"counter":"care.users","value":3000}"#] + users + [#"{"end":true}"#]
        let many = folder.path("many")
        let imported = try PosternProcess.run(["import", "--data", many], input: export.joined(separator: "\n"))
        #expect(imported.status == 0, "\(imported.errors)")
        // Give the compaction something to do.
        let server = try PosternProcess(["--data", many])
        #expect(try register(0, server)["result"] != nil)
        server.finish()
        let run = "ulimit -f 64; cd \(folder.path); exec \(PosternProcess.binary.path) \(command) --data \(many)"
        let shown = try PosternProcess.run([], shell: "script -qec '\(run)' /dev/null").output
        #expect(shown.contains("\r\u{1B}[K") && shown.contains("ing: 4096"), "\(shown.debugDescription)")
        #expect(shown.contains("\r\u{1B}[Kpostern: "), "\(shown.debugDescription)")
    }

    // MARK: Files

    /// Only the owner may read a copy or an export, whatever the umask.
    @Test(arguments: ["000", "777"])
    func makesFilesThatOnlyTheirOwnerCanRead(umask: String) throws {
        _ = try serving()
        let shell = "umask \(umask); exec \"$@\""
        let export = folder.path("export.jsonl")
        #expect(try PosternProcess.run(["export", export] + data, shell: shell).status == 0)
        #expect(try PosternProcess.run(["backup", folder.path("copy")] + data, shell: shell).status == 0)
        #expect(try PosternProcess.run(["salvage", folder.path("saved")] + data, shell: shell).status == 0)
        let new = ["--data", folder.path("new")]
        #expect(try PosternProcess.run(["import", export] + new, shell: shell).status == 0)
        let files = ["copy", "saved", "new"].flatMap { store in
            ["", "/base-1.jsonl", "/journal-1.jsonl", "/manifest.json"].map { store + $0 }
        }
        for file in files + ["export.jsonl"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.path(file))
            let mode = try #require(attributes[.posixPermissions] as? Int)
            #expect(mode == (attributes[.type] as? FileAttributeType == .typeDirectory ? 0o700 : 0o600), "\(file)")
        }
    }

    /// A symbolic link to the store, planted where a copy is written,
    /// once caused every file in the store to be removed.
    @Test(arguments: ["backup", "salvage", "import"])
    func followsNoPlantedLink(command: String) throws {
        try serving().finish()
        let export = try PosternProcess.run(["export"] + data).output
        let target = folder.path("planted")
        // The shell's process id becomes the command's, so an attacker
        // could predict the temporary name of former versions.
        let shell = #"ln -s "\#(folder.path("store"))" "\#(target).unfinished-$$"; exec "$@""#
        let words = command == "import" ? ["import", "--data", target] : [command, target] + data
        let outcome = try PosternProcess.run(words, input: export, shell: shell)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try PosternProcess.run(["check", "--data", target]).status == 0)
        #expect(try PosternProcess.run(["check"] + data).status == 0)
        #expect(try users(in: "store") == "care.users: 4")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names.filter { !$0.contains(".unfinished-") } == ["planted", "store"] && names.count == 3)
    }

    /// A file in the store's directory with the name of one of its files was once deleted by the next command.
    @Test func doesNotExportIntoAStore() throws {
        let folder = TemporaryDirectory()
        let store = folder.path("store")
        try PosternProcess.run(["--data", store])
        for file in ["base-9.jsonl", "other"] {
            let outcome = try PosternProcess.run(["export", "--data", store, "\(store)/\(file)"])
            #expect(outcome.status == 1 && outcome.errors.contains("is in the directory of another store"))
            #expect(!FileManager.default.fileExists(atPath: "\(store)/\(file)"))
        }
        #expect(try PosternProcess.run(["check", "--data", store]).status == 0)
    }

    @Test func doesNotExportIntoAnExistingFile() throws {
        try serving().finish()
        let file = folder.path("file")
        try "mine".write(toFile: file, atomically: true, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: file)
        for name in ["file", "link"] {
            let outcome = try PosternProcess.run(["export", folder.path(name)] + data)
            #expect(outcome.status == 1 && outcome.errors == "postern: \(folder.path(name)): File exists\n")
        }
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
        let readable = try PosternProcess.run(
            ["export"] + data,
            shell: #"umask 022; exec "$@" > "\#(folder.path("open"))""#
        )
        #expect(readable.status == 0 && readable.errors.contains("other users can read the file"))
    }

    /// Reading a FIFO that no process writes to would never end.
    @Test func refusesAFIFOWithoutAWriter() throws {
        try serving().finish()
        let fifo = folder.path("fifo")
        #expect(mkfifo(fifo, 0o600) == 0)
        let new = ["--data", folder.path("new")]
        let outcome = try PosternProcess.run(["import", fifo] + new)
        #expect(outcome.status == 1 && outcome.errors == "postern: \(fifo): a FIFO that no process writes to\n")
        let called = try PosternProcess.run(["call", "care.auth.token", "password=@\(fifo)"] + data)
        #expect(called.status == 1 && called.errors == "postern: \(fifo): a FIFO that no process writes to\n")
        let folderOutcome = try PosternProcess.run(["import", folder.path] + new)
        #expect(folderOutcome.status == 1 && folderOutcome.errors.contains("not a file"))
        // A FIFO with a writer is read, such as the shell's <(command).
        let export = folder.path("export.jsonl")
        #expect(try PosternProcess.run(["export", export] + data).status == 0)
        let piped = try PosternProcess.run(
            ["import"] + new,
            shell: #"exec bash -c '"$0" "$@" <(sleep 0.2; cat \#(export))' "$@""#
        )
        #expect(piped.status == 0, "\(piped.errors)")
    }

    /// The documented command once read only one file, which the first compaction removes.
    @Test func printsTheEntriesWithTheDocumentedCommand() throws {
        let page = try String(
            contentsOf: PosternProcess.repository.appendingPathComponent("docs/storage.md"),
            encoding: .utf8
        )
        let line = try #require(page.split(separator: "\n").first { $0.hasPrefix("    jq ") })
        let store = ["--data", folder.path("postern-data")]
        let postern = try PosternProcess(store)
        for number in 1...2 {
            #expect(try register(number, postern)["result"] != nil)
            let printed = try PosternProcess.run([], shell: "cd '\(folder.path)' && \(line)")
            #expect(printed.status == 0 && printed.errors == "")
            for user in 1...number { #expect(printed.output.contains(#"["care.users/email/c\#(user)@b.co",""#)) }
            #expect(try PosternProcess.run(["compact"] + store).status == 0)
        }
        let merged = try PosternProcess.run([], shell: "cd '\(folder.path)' && \(line)")
        #expect(merged.status == 0 && merged.output.contains(#"["care.users/email/c2@b.co",""#))
    }
}
