import Foundation
import PosternTesting
import Testing

/// A directory with files of another program, given as the directory of a store.
struct ForeignDirectoryTests {
    private let folder = TemporaryDirectory()
    private var path: String { folder.path("home") }

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try "mine".write(toFile: path + "/notes.txt", atomically: false, encoding: .utf8)
        try #require(chmod(path, 0o755) == 0)
    }

    private func expectUntouched(_ comment: Comment? = nil) throws {
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["notes.txt"], comment)
        #expect(try FileState(path).mode == 0o755, comment)
    }

    private static let refusal =
        "contains notes.txt but no store; a store can be created only in a new or empty directory; change --data"

    /// `postern --data /etc` once created a store among the files there.
    @Test func aServerCreatesNoStoreAmongOtherFiles() throws {
        let outcome = try PosternProcess.run(["--data", path])
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(outcome.errors == "postern: \(path) \(Self.refusal)\n")
        try expectUntouched()
    }

    /// Another user once got an error about a permission, which would not have helped.
    @Test(.enabled(if: OtherUser.isAvailable, "needs root and setpriv"), arguments: [mode_t(0o755), 0o777])
    func anotherUserGetsTheSameError(mode: mode_t) throws {
        try #require(chmod(path, mode) == 0)
        let outcome = try PosternProcess.run(["--data", path], shell: OtherUser.shell())
        #expect(outcome.status == 1)
        #expect(outcome.errors == "postern: \(path) \(Self.refusal)\n")
        try #require(chmod(path, 0o755) == 0)
        try expectUntouched()
    }

    @Test func otherCommandsDoNotChangeItEither() throws {
        let store = ["--data", folder.path("store")]
        try PosternProcess.run(store)
        let export = try PosternProcess.run(["export"] + store).output
        for words in [["backup", path] + store, ["salvage", path] + store, ["import", "--data", path]] {
            let outcome = try PosternProcess.run(words, input: export)
            #expect(outcome.status == 1)
            #expect(
                outcome.errors
                    == "postern: \(path) already exists; a new store needs an unused path or an empty directory\n"
            )
            try expectUntouched("\(words)")
        }
        for words in [["call", "system.info"], ["stats"], ["check"], ["compact"], ["invite"], ["outbox", "list"]] {
            let outcome = try PosternProcess.run(words + ["--data", path])
            #expect(outcome.status == 1 && outcome.errors.hasPrefix("postern: there is no store at \(path); "))
            try expectUntouched("\(words)")
        }
    }

    /// `postern backup` once wrote a copy among the files of the store that it copied.
    @Test func createsNoStoreInsideAStore() throws {
        let path = folder.path("store")
        try PosternProcess.run(["--data", path])
        let export = try PosternProcess.run(["export", "--data", path]).output
        let before = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        for copy in ["\(path)/copy", "\(path)/copies/copy"] {
            let commands = [
                ["backup", copy, "--data", path], ["salvage", copy, "--data", path], ["import", "--data", copy],
                ["serve", "--data", copy],
            ]
            for words in commands {
                let outcome = try PosternProcess.run(words, input: words[0] == "import" ? export : "")
                let reason =
                    "\(copy) is in the directory of another store, which must contain only the files of that store"
                #expect(outcome.status == 1 && outcome.errors == "postern: \(reason)\n")
                #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == before, "\(words)")
            }
        }
        // A store without its manifest is still a store.
        try FileManager.default.removeItem(atPath: path + "/manifest.json")
        #expect(try PosternProcess.run(["salvage", "\(path)/copy", "--data", path]).status == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).count == before.count - 1)
    }

    /// Web pages have a `manifest.json` too.
    @Test func createsAStoreBesideAnotherProgramsManifest() throws {
        let path = folder.path("page")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(FileManager.default.createFile(atPath: path + "/manifest.json", contents: Data("{}".utf8)))
        #expect(try PosternProcess.run(["--data", path + "/accounts"]).status == 0)
        #expect(try PosternProcess.run(["backup", path + "/copy", "--data", path + "/accounts"]).status == 0)
    }

    /// Entries left by the file system or by a killed start do not make a directory foreign.
    @Test func takesADirectoryWithNoForeignFiles() throws {
        for (number, names) in [[], ["lost+found"], ["lock", "manifest.json.tmp"], ["lock", "lost+found"]].enumerated()
        {
            let place = folder.path("place\(number)")
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
            for name in names {
                if name == "lost+found" {
                    try FileManager.default.createDirectory(
                        atPath: "\(place)/\(name)",
                        withIntermediateDirectories: false
                    )
                } else {
                    #expect(FileManager.default.createFile(atPath: "\(place)/\(name)", contents: nil))
                }
            }
            for _ in 1...2 { #expect(try PosternProcess.run(["--data", place]).status == 0, "\(names)") }
            #expect(try FileState(place).mode == 0o700)
        }
    }

    @Test func opensAStoreWithAForeignFile() throws {
        let place = folder.path("store")
        #expect(try PosternProcess.run(["--data", place]).status == 0)
        #expect(FileManager.default.createFile(atPath: place + "/notes.txt", contents: nil))
        #expect(try PosternProcess.run(["--data", place]).status == 0)
    }
}
