import Testing

@testable import DirectoryStore
@testable import Store
import Platform

struct CRC32CTests {
    /// The examples of RFC 3720 §B.4, which prints bytes from the lowest to the highest, and the usual check value.
    static let vectors: [(bytes: [UInt8], check: UInt32)] = [
        ([], 0),
        (Array("123456789".utf8), 0xE306_9283),
        ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
        ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
        (Array(0..<32), 0x46DD_794E),
        (Array((0..<32).reversed()), 0x113F_DB5C),
    ]

    @Test(arguments: vectors)
    func matchesPublishedVectors(bytes: [UInt8], check: UInt32) {
        #expect(bytes.withUnsafeBytes { CRC32C.value(of: $0) } == check)
        #expect(bytes.withUnsafeBytes { CRC32C.valueByTables(of: $0) } == check)
    }

    /// One processor reads a store that another processor wrote.
    @Test(arguments: 0...70)
    func hardwareAndTablesAgree(count: Int) {
        let bytes: [UInt8] = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 197 &+ 3) }
        bytes.withUnsafeBytes { bytes in
            #expect(CRC32C.value(of: bytes, after: 0xDEAD_BEEF) == CRC32C.valueByTables(of: bytes, after: 0xDEAD_BEEF))
        }
    }

    @Test(arguments: 0...40)
    func continuesFromAPartialChecksum(place: Int) {
        let bytes: [UInt8] = (0..<40).map { $0 &* 37 &+ 11 }
        let whole = bytes.withUnsafeBytes { CRC32C.value(of: $0) }
        let start = bytes[..<place].withUnsafeBytes { CRC32C.value(of: $0) }
        #expect(bytes[place...].withUnsafeBytes { CRC32C.value(of: $0, after: start) } == whole)
    }

    @Test(arguments: [(UInt32(0), "00000000"), (0xE306_9283, "e3069283"), (.max, "ffffffff")])
    func convertsToAndFromHexadecimal(value: UInt32, text: String) {
        var bytes: [UInt8] = []
        value.appendHex(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
        #expect(bytes.withUnsafeBytes { UInt32(hex: $0) } == value)
    }

    @Test(arguments: ["", "1234567", "123456789", "E3069283", "e306928g", "+1234567"])
    func refusesInvalidHexadecimal(text: String) {
        #expect(Array(text.utf8).withUnsafeBytes { UInt32(hex: $0) } == nil)
    }

    @Test func computesTheChecksumBeforeSomeBytes() {
        let bytes = Array("123456789".utf8)
        for split in 0...bytes.count {
            let before = Array(bytes[..<split]).withUnsafeBytes { CRC32C.value(of: $0) }
            let found = Array(bytes[split...]).withUnsafeBytes { CRC32C.value(before: $0, leadingTo: 0xE306_9283) }
            #expect(found == before)
        }
    }
}
