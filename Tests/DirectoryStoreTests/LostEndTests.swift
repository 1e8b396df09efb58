import Foundation
import Platform
import Testing

@testable import DirectoryStore
@testable import Store

/// A journal that lost its last line.
struct LostEndTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// The bytes of the journal without its last line.
    private func withoutLastLine() throws -> [UInt8] {
        let bytes = try directory.bytes()
        let end = try #require(bytes.dropLast().lastIndex(of: 0x0A))
        return Array(bytes[...end])
    }

    /// A system crash may lose a line that was never synced. No caller got a reply for it.
    @Test func isOpenedIfTheLineWasNeverSynced() throws {
        let calls = ChangedCalls()
        var isFailing = false
        calls.onSync = { descriptor in
            errno = EIO
            return isFailing ? -1 : RealCalls.shared.sync(descriptor)
        }
        let engine = try directory.open(calls: calls)
        try engine.commit(("a", "1"))
        isFailing = true
        #expect(storeError { try engine.commit(("b", "1")) } != nil)
        engine.close()
        #expect(try directory.text().contains(#""b""#))
        try directory.write(try withoutLastLine())
        #expect(try directory.open().entries() == ["a": "1"])
        #expect(try !directory.check().isDamaged)
    }

    @Test func isAFaultIfTheLineWasSynced() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        try engine.commit(("b", "1"))
        engine.close()
        let whole = try directory.bytes().count
        try directory.write(try withoutLastLine())
        let length = try directory.bytes().count
        let fault =
            "journal-1.jsonl is damaged at byte \(length): it ends before byte \(whole), up to which it was synced; "
            + "postern salvage copies the remaining records"
        let report = try directory.check()
        #expect(report.faults == [fault] && report.isDamaged)
        #expect(storeError { _ = try directory.open() }.map { "\($0)" } == fault)
    }

    /// The lock files of a store whose other files were removed do not make the directory a used one.
    @Test func isNoFaultOfANewStoreBesideOldMarks() throws {
        let engine = try directory.open()
        for number in 0..<10 { try engine.commit(("a", "\(number)")) }
        engine.close()
        try directory.remove("journal-1.jsonl")
        try directory.remove("manifest.json")
        try directory.open().commit(("b", "1"))
        #expect(try directory.open().entries() == ["b": "1"])
    }

    /// The marks of an epoch that a power cut has lost reach the disk only after later ones have replaced them in
    /// memory. A second power cut would bring them back otherwise, for another epoch with the same number.
    @Test func isNoFaultAfterTwoPowerCuts() throws {
        let calls = ChangedCalls()
        var order: [String] = []
        calls.onSync = { descriptor in
            let link = "/proc/self/fd/\(descriptor.rawValue)"
            let path = try? FileManager.default.destinationOfSymbolicLink(atPath: link)
            if path?.hasSuffix("/lock.sync") == true { order.append("marks") }
            return RealCalls.shared.sync(descriptor)
        }
        calls.onRename = { directory, name, newName in
            order.append("manifest")
            return RealCalls.shared.rename(directory, name, newName)
        }
        let engine = try directory.open(calls: calls)
        try engine.commit(("a", "1"))
        order = []
        #expect(try engine.compact())
        #expect(order == ["marks", "manifest"])
    }
}

extension TemporaryDirectory {
    fileprivate func check() throws -> StoreCheck.Report {
        try StoreCheck.run(path, types: [], progress: { _ in })
    }
}
