import DirectoryStore
import Foundation
import JSON
import PosternTesting
import Store
import Testing

/// A due compaction when the disk has no space for it.
struct CompactionRoomTests {
    private let folder = TemporaryDirectory()

    /// Adds entries of no collection, with values of one kilobyte.
    private func fill(_ path: String, kilobytes: Int, tag: String) throws {
        var settings = StoreSettings()
        settings.compactedJournalBytesMin = 1 << 40
        let engine = try LocalEngine(directory: path, settings: settings, log: { _ in })
        defer { engine.close() }
        let value = StoredValue(bytes: Array(("\"" + String(repeating: "x", count: 1_000) + "\"").utf8))
        try engine.write { transaction in
            for number in 0..<kilobytes {
                try transaction.put(value, at: StoreKey(bytes: Array("zz/\(tag)/\(number)".utf8)), isErasable: false)
            }
        }
        try engine.makeDurable()
    }

    /// The compaction once started again with every write, filled the disk,
    /// and requests were answered with `disk_full`.
    @Test func warnsOnceAndContinues() throws {
        let path = folder.path("store")
        guard let volume = try TemporaryFileSystem(at: path, options: "size=8m") else {
            try Test.cancel("needs permission to mount a tmpfs")
        }
        let server = try PosternProcess(["--data", path])
        let session = try CareSession(server)
        try fill(path, kilobytes: 4_600, tag: "a")
        for number in 1...20 {
            try session.expectToWork(server, "Patient \(number)")
            #expect(try !FileManager.default.contentsOfDirectory(atPath: path).contains { $0.hasPrefix("base") })
        }
        func warnings() -> Int { server.errorText.components(separatedBy: "the journal is not compacted").count - 1 }
        #expect(warnings() == 1, "\(server.errorText)")
        // The journal has grown, so the server tried again, which the log does not repeat.
        try fill(path, kilobytes: 1_300, tag: "again")
        for number in 1...3 { try session.expectToWork(server, "Again \(number)") }
        #expect(warnings() == 1, "\(server.errorText)")
        #expect(try volume.change("size=40m"))
        // The server tries again once the journal has grown further.
        try fill(path, kilobytes: 1_300, tag: "b")
        var isCompacted = false
        for number in 21...300 where !isCompacted {
            try session.expectToWork(server, "Patient \(number)")
            isCompacted = try FileManager.default.contentsOfDirectory(atPath: path).contains("base-2.jsonl")
            usleep(20_000)
        }
        #expect(isCompacted)
        try session.expectToWork(server, "Merged")
        server.finish()
        #expect(server.status == 0)
    }
}
