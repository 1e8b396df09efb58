import Foundation
import PosternTesting
import Testing

/// Rules for the sources that the compiler does not check.
struct HouseRulesTests {
    /// The hand-written Swift files of the program and of the client for Swift, by path from the repository.
    private static func sources() throws -> [(path: String, text: Data)] {
        try files(in: ["Sources", "clients/swift/Sources"], suffixes: [".swift"]).filter {
            !$0.path.contains("Generated/")
        }
    }

    private static func files(in folders: [String], suffixes: [String]) throws -> [(path: String, text: Data)] {
        let files = try folders.flatMap { folder in
            let root = PosternProcess.repository.appending(path: folder)
            return try FileManager.default.subpathsOfDirectory(atPath: root.path).map { folder + "/" + $0 }
        }
        return try files.filter { file in suffixes.contains { file.hasSuffix($0) } }.sorted().map { file in
            (file, try Data(contentsOf: PosternProcess.repository.appending(path: file)))
        }
    }

    /// A longer file usually has a second responsibility.
    private static let linesMax = 300

    @Test func keepsFilesShort() throws {
        let sources = try Self.sources()
        #expect(sources.count > 100)
        for (path, text) in sources {
            let lines = text.count { $0 == UInt8(ascii: "\n") }
            #expect(lines <= Self.linesMax, "\(path) has \(lines) lines")
        }
    }

    private static let columnsMax = 120

    /// The formatter breaks code but not comments.
    @Test func keepsCommentsNarrow() throws {
        for (path, text) in try Self.sources() {
            for (index, line) in String(decoding: text, as: UTF8.self).split(
                separator: "\n",
                omittingEmptySubsequences: false
            )
            .enumerated() where line.trimmingCharacters(in: .whitespaces).hasPrefix("//") {
                #expect(line.count <= Self.columnsMax, "\(path):\(index + 1) has \(line.count) columns")
            }
        }
    }

    /// Names that were removed, and what replaced them.
    private static let removedNames = [
        ("PasswordWorkPending", "Progress"),
        ("RerunEffects", "Progress"),
        ("RequestRun", "RequestPhase"),
        ("RequestInterruption", "a returned SlowWork"),
        ("isOvertaken", "Store.write, which takes the lock first"),
        ("func transact<", "Store.read and Store.write"),
        ("func tend()", "LoopTask"),
        ("LaneEntry", "UnitOfWork, and PendingMessage while it waits"),
        ("GroupCommit", "InlineExecutor and ReplyBuffer"),
        ("carryOut", "Executor.execute"),
        ("endTurn", "endGroup"),
        ("AnswerTooLong", "ReplyTooLong"),
    ]

    @Test(arguments: removedNames)
    func usesNoRemovedName(name: String, instead: String) throws {
        for (path, text) in try Self.sources() {
            #expect(text.range(of: Data(name.utf8)) == nil, "\(path): \(name); now \(instead)")
        }
    }

    /// Words that a newcomer had to decode, and the field's words for them.
    private static let removedTerms = [
        ("rehears", "deterministic mode"),
        ("whoever", "the caller, or the process that …"),
        ("nobody", "no process, no caller"),
        ("looked after", "handled"),
        ("seen to", "handled"),
        ("told of", "reported, logged"),
        ("what is there", "existing entries"),
        ("by itself", "automatically"),
        ("carries out", "executes"),
        ("nextMember", "nextProperty"),
    ]

    @Test(arguments: removedTerms)
    func usesNoRemovedTerm(term: String, instead: String) throws {
        for (path, text) in try Self.sources() {
            let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first {
                $0.lowercased().contains(term.lowercased())
            }
            #expect(line == nil, "\(path): \(term); now \(instead): \(line ?? "")")
        }
    }

    /// One target imports the C library, one target uses it, and no other has branches for operating systems.
    private static let systemImports = [
        ("import CLinux", ["Sources/CLibrary/"]),
        ("import Darwin", ["Sources/CLibrary/"]),
        ("import CLibrary", ["Sources/Platform/"]),
        ("canImport(", ["Sources/CLibrary/", "Sources/Platform/"]),
    ]

    @Test(arguments: systemImports)
    func usesTheCLibraryInPlatformAlone(text: String, folders: [String]) throws {
        let files = try Self.sources().filter { $0.text.range(of: Data(text.utf8)) != nil }.map(\.path)
        #expect(!files.isEmpty)
        for file in files { #expect(folders.contains { file.hasPrefix($0) }, "\(file): \(text)") }
    }

    /// No file but CLibrary.swift has the name of a C library of Linux, also not in tests, which may import CLibrary.
    /// The names are read from that file.
    @Test func namesTheCLibrariesInOneFile() throws {
        let files = try Self.files(in: ["Sources", "Tests", "clients/swift"], suffixes: [".swift", ".h"])
        let choice = try #require(files.first { $0.path == "Sources/CLibrary/CLibrary.swift" })
        let names = String(decoding: choice.text, as: UTF8.self).matches(of: /canImport\((\w+)\)/).map { $0.output.1 }
        // Platform has branches for Darwin.
        #expect(names.count == 3 && names.contains("Darwin"))
        for (path, text) in files where path != choice.path {
            for name in names where name != "Darwin" {
                #expect(text.range(of: Data(name.utf8)) == nil, "\(path): \(name)")
            }
        }
    }
}
