import Foundation
import Platform
import Testing

@testable import DirectoryStore
@testable import Store

struct EntrySorterTests {
    private let directory: TemporaryDirectory
    private let folder: Directory

    init() throws {
        directory = try TemporaryDirectory()
        folder = try Directory(directory.path)
    }

    private func sorter(memoryBytes: Int) throws -> EntrySorter {
        EntrySorter(
            spillingTo: try File("scratch", in: folder, .replacing, calls: .real),
            memoryBytes: memoryBytes
        )
    }

    /// Sorts by all bytes of the key, with any number of runs.
    @Test(arguments: [100, 300, 5_000, 1 << 20])
    func sortsWithAnyMemoryLimit(memoryBytes: Int) throws {
        let sorter = try sorter(memoryBytes: memoryBytes)
        var random = SystemRandomNumberGenerator()
        var keys =
            (0..<500).map { "a/id/\($0)" } + (0..<500).map { "a b/mail/x\($0)@b.co" } + ["x", "a/id/", "a/id/1/2"]
        keys.shuffle(using: &random)
        for (line, key) in keys.enumerated() {
            try sorter.add(.entry, Array(key.utf8), Array("value of \(key)".utf8), line: line)
        }
        var sorted: [String] = []
        try sorter.merge { entry in
            let key = String(decoding: entry.key, as: UTF8.self)
            sorted.append(key)
            #expect(keys[entry.line] == key && String(decoding: entry.value, as: UTF8.self) == "value of \(key)")
        }
        #expect(sorted == keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    @Test func ordersReferencesAfterEntriesAndThenByLine() throws {
        let sorter = try sorter(memoryBytes: 120)
        let key = Array("a/id/1".utf8)
        for (kind, line) in [(EntrySorter.Kind.reference, 1), (.entry, 9), (.reference, 0), (.erasable, 4)] {
            try sorter.add(kind, key, [], line: line)
        }
        var lines: [Int] = []
        try sorter.merge { lines.append($0.line) }
        #expect(lines == [4, 9, 0, 1])
    }

    @Test func refusesAnEntryLargerThanItsMemoryLimit() throws {
        let sorter = try sorter(memoryBytes: 100)
        #expect(
            storeError { try sorter.add(.entry, Array("a/id/1".utf8), [UInt8](repeating: 0, count: 200), line: 1) }
                == .tooLarge(bytes: 223)
        )
    }
}
