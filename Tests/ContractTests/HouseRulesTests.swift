import Foundation
import PosternTesting
import Testing

/// Rules for the sources that the compiler does not check.
struct HouseRulesTests {
    /// The hand-written Swift files of the program, by path from the repository.
    private static func sources() throws -> [(path: String, text: Data)] {
        let sources = PosternProcess.repository.appending(path: "Sources")
        let paths = try FileManager.default.subpathsOfDirectory(atPath: sources.path)
        return try paths.filter { $0.hasSuffix(".swift") && !$0.contains("Generated/") }.sorted().map { path in
            (path, try Data(contentsOf: sources.appending(path: path)))
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
        ("import Glibc", ["CLibrary/"]),
        ("import CLinux", ["CLibrary/"]),
        ("import Musl", ["CLibrary/"]),
        ("import Darwin", ["CLibrary/"]),
        ("import CLibrary", ["Platform/"]),
        ("canImport(", ["CLibrary/", "Platform/"]),
    ]

    @Test(arguments: systemImports)
    func usesTheCLibraryInPlatformAlone(text: String, folders: [String]) throws {
        let files = try Self.sources().filter { $0.text.range(of: Data(text.utf8)) != nil }.map(\.path)
        #expect(!files.isEmpty)
        for file in files { #expect(folders.contains { file.hasPrefix($0) }, "\(file): \(text)") }
    }
}
