import DirectoryStore
import Foundation
import PosternTesting
import Store
import Testing

/// The memory that a process keeps for state that a compaction has replaced.
struct CompactionMemoryTests {
    private let folder = TemporaryDirectory()

    /// The journal's entries once stayed in memory for good, because they
    /// were freed only after the memory had been returned to the system.
    @Test func returnsTheMemoryOfTheJournal() throws {
        let path = folder.path("store")
        let server = try PosternProcess(["--data", path])
        let session = try CareSession(server)
        var settings = StoreSettings()
        settings.compactedJournalBytesMin = 1 << 40
        let engine = try LocalEngine(directory: path, settings: settings, log: { _ in })
        defer { engine.close() }
        for part in 0..<20 {
            try engine.write { transaction in
                for number in 0..<10_000 {
                    let value = StoredValue(bytes: Array("\"\(part * 10_000 + number)\"".utf8))
                    try transaction.put(
                        value,
                        at: StoreKey(bytes: Array("zz/\(part)/\(number)".utf8)),
                        isErasable: false
                    )
                }
            }
            try engine.makeDurable()
        }
        let before = try server.memory("RssAnon")
        // This write reads the other process's entries, and starts the compaction.
        try session.expectToWork(server, "Before")
        let during = try server.memory("RssAnon")
        #expect(during > before + 16 << 20, "the journal's entries take no memory")
        var after = during
        for number in 1...600 where after > before + 8 << 20 {
            usleep(100_000)
            try session.expectToWork(server, "Patient \(number)")
            after = try server.memory("RssAnon")
        }
        #expect(
            after <= before + 8 << 20,
            "\(before >> 20) MiB before, \(during >> 20) with the journal, \(after >> 20) after"
        )
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).contains("base-2.jsonl"))
        server.finish()
        #expect(server.status == 0)
    }
}
