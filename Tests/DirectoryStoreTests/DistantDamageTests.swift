import Foundation
import Platform
import Testing

@testable import DirectoryStore
@testable import Store

/// Damage at a large offset in a large base.
struct DistantDamageTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Each request that met the damaged line counted all lines before it,
    /// which took two seconds in a base of 1.7 GB.
    @Test func isReportedWithoutCountingLines() throws {
        let value = #""\#(String(repeating: "x", count: 60_000))""#
        let engine = try directory.open()
        for start in stride(from: 0, to: 320, by: 80) {
            try engine.write((start..<start + 80).map { ("k\(1_000 + $0)", value) })
            try engine.makeDurable()
        }
        #expect(try engine.compact())
        engine.close()
        // Its number depends on how often the store was compacted in the background before.
        let base = try #require(try directory.names().first { $0.hasPrefix("base-") })
        let file = try FileDescriptor.open(SystemString(directory.path + "/" + base), .readingAndWriting)
        defer { file.close() }
        let offset = 18 << 20
        try RealCalls.shared.writeAll([UInt8(ascii: "y")], to: file, at: offset)

        let damaged = try directory.open()
        let start = ContinuousClock.now
        let error = try #require(storeError { _ = try damaged.entries() })
        guard case .damaged(base, let place, let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect((Limits.countedBaseBytesMax...offset).contains(place))
        #expect(reason == "the line does not match its checksum", "the lines before it are not counted")
        #expect(ContinuousClock.now - start < .seconds(10))
        // A command that reads the whole base counts them.
        let report = try StoreCheck.run(directory.path, types: [], settings: StoreSettings(), progress: { _ in })
        #expect(report.faults.contains { $0.contains("\(base) is damaged at byte \(place): line ") })
    }
}
