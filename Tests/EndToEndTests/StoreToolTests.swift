import Foundation
import JSON
import PosternTesting
import Testing

/// The commands that look at, copy and mend a store, beside servers that use it.
struct StoreToolTests {
    private let folder = TemporaryDirectory()

    private var data: [String] { ["--data", folder.path("store")] }

    private func register(_ number: Int, _ postern: PosternProcess) throws -> JSONValue {
        try postern.reply(
            to: "care.user.register",
            ["email": .string("c\(number)@b.co"), "password": "p", "role": "user"]
        )
    }

    /// A server on a store that was merged and written to since.
    private func serving() throws -> PosternProcess {
        let postern = try PosternProcess(data)
        for number in 1...3 { #expect(try register(number, postern)["result"] != nil) }
        #expect(try PosternProcess.run(["merge"] + data).status == 0)
        #expect(try register(4, postern)["result"] != nil)
        return postern
    }

    private func users(in store: String) throws -> String {
        let statistics = try PosternProcess.run(["stats", "--data", folder.path(store)]).output
        return statistics.split(separator: "\n").first { $0.hasPrefix("care.users") }.map { String($0) } ?? ""
    }

    @Test func mergesChecksAndCopiesBesideAServer() throws {
        let postern = try serving()
        let check = try PosternProcess.run(["check"] + data)
        #expect(check.status == 0 && check.errors == "")
        #expect(check.output == "sound: 31 entries of 4 transactions")
        let backup = try PosternProcess.run(["backup", folder.path("copy")] + data)
        #expect(backup.status == 0 && backup.output == "" && backup.errors == "")
        #expect(try register(5, postern)["result"] != nil)
        #expect(try users(in: "copy") == "care.users: 4")
        #expect(try users(in: "store") == "care.users: 5")
        let again = try PosternProcess.run(["backup", folder.path("copy")] + data)
        #expect(again.status == 1 && again.errors.contains("there is something at \(folder.path("copy")) already"))
        #expect(try PosternProcess.run(["check", "--data", folder.path("copy")]).status == 0)
        #expect(try PosternProcess.run(["merge"] + data).status == 0)
        let signIn: JSONValue = ["email": "c5@b.co", "password": "p"]
        #expect(try postern.reply(to: "care.auth.token", signIn)["result"] != nil)
    }

    @Test func importsWhatWasExportedAndEdited() throws {
        _ = try serving()
        let exported = try PosternProcess.run(["export"] + data)
        #expect(exported.status == 0 && exported.errors == "")
        let edited = exported.output.replacing("c3@b.co", with: "changed@b.co")
        #expect(edited != exported.output)
        let imported = try PosternProcess.run(["import", "--data", folder.path("new")], input: edited)
        #expect(imported.status == 0 && imported.output == "imported: 12 records into \(folder.path("new"))")
        #expect(try PosternProcess.run(["check", "--data", folder.path("new")]).status == 0)
        let next = try PosternProcess(["--data", folder.path("new")])
        let signIn: JSONValue = ["email": "changed@b.co", "password": "p"]
        #expect(try next.reply(to: "care.auth.token", signIn)["result"] != nil)
        #expect(try register(6, next)["result"] != nil)

        // One slip, and nothing is there.
        let slip = edited.replacing(#""email":"c2@b.co""#, with: #""email":"c1@b.co""#)
        let file = folder.path("slip.jsonl")
        try slip.write(toFile: file, atomically: true, encoding: .utf8)
        let refused = try PosternProcess.run(["import", file, "--data", folder.path("other")])
        #expect(refused.status == 1 && refused.output == "")
        #expect(refused.errors.contains("line 11: care.users/email/c1@b.co is taken by an earlier record\n"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("other")))
        let taken = try PosternProcess.run(["import", "--data", folder.path("new")], input: edited)
        #expect(taken.status == 1 && taken.errors.contains("there is something at"))
    }

    @Test(arguments: ["base-2.jsonl", "journal-2.jsonl"])
    func tellsWhereDamageIsAndSavesTheRest(name: String) throws {
        let postern = try serving()
        #expect(try register(5, postern)["result"] != nil)
        postern.finish()
        let file = URL(fileURLWithPath: folder.path("store/\(name)"))
        var bytes = try Data(contentsOf: file)
        // In the user of the third line of users, or of the last transaction but one.
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
        #expect(check.output == "fault: \(name) is damaged at byte \(start): line \(line) does not match its check")
        #expect(check.errors.contains("postern salvage"))
        let salvage = try PosternProcess.run(["salvage", folder.path("saved")] + data)
        #expect(salvage.status == 1 && salvage.output.contains("lost: \(name) at byte \(start): a line is lost"))
        #expect(try PosternProcess.run(["check", "--data", folder.path("saved")]).status == 0)
        #expect(try users(in: "saved") == "care.users: 4")
        // What was damaged stays as it is.
        #expect(try Data(contentsOf: file) == bytes)
    }

    @Test(arguments: ["check", "export", "merge", "stats", "backup", "salvage"])
    func makesNoStoreWhereThereIsNone(command: String) throws {
        let to = ["backup", "salvage"].contains(command) ? [folder.path("to")] : []
        let outcome = try PosternProcess.run([command] + to + data)
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(outcome.errors == "postern: there is no store at \(folder.path("store"))\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        let memory = try PosternProcess.run([command] + to + ["--data", ":memory:"])
        #expect(memory.status == 64 && memory.errors.contains("postern \(command) needs a directory"))
    }

    @Test func showsProgressOnATerminalAlone() throws {
        try serving().finish()
        // Enough entries to be told of.
        let lines = (1...5_000).map { number in
            #"{"collection":"decoy mails","record":{"kind":"k\#(number)","hash":"0123456789abcdef","#
                + #""text":"A text as long as that of a short mail."}}"#
        }
        let big = ["--data", folder.path("big")]
        let text = lines.joined(separator: "\n") + "\n" + #"{"end":true}"#
        let imported = try PosternProcess.run(["import"] + big, input: text)
        #expect(imported.status == 0 && imported.errors == "")
        let command = "\(PosternProcess.binary.path) check --data \(folder.path("big"))"
        let shown = try PosternProcess.run([], shell: "script -qec '\(command)' /dev/null")
        #expect(shown.output.contains("checking the base [") && shown.output.contains("sound: 5000 entries"))
        #expect(shown.output.contains("\r\u{1B}[K"))
        #expect(try PosternProcess.run(["check"] + big).output == "sound: 5000 entries of 0 transactions")
    }
}
