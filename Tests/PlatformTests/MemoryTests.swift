import Foundation
import Platform
import Synchronization
import Testing

struct RawBytesTests {
    private let bytes = Array("a:b:c".utf8)

    @Test func findsTheFirstByte() {
        bytes.withUnsafeBytes { bytes in
            #expect(bytes.offset(of: UInt8(ascii: ":")) == 1)
            #expect(bytes.offset(of: UInt8(ascii: "x")) == nil)
            #expect(bytes.offset(of: UInt8(ascii: ":"), in: 2..<5) == 3)
            #expect(bytes.offset(of: UInt8(ascii: ":"), in: 2..<3) == nil)
            #expect(bytes.offset(of: UInt8(ascii: ":"), in: 1..<1) == nil)
        }
        #expect(UnsafeRawBufferPointer(start: nil, count: 0).offset(of: 0) == nil)
    }

    @Test(arguments: [("a", "b", -1), ("b", "a", 1), ("a", "a", 0), ("\u{7F}", "é", -1)])
    func ordersBytesAsUnsignedNumbers(left: String, right: String, sign: Int) throws {
        let order = try Array(left.utf8).withUnsafeBytes { left in
            try Array(right.utf8).withUnsafeBytes { right in
                RawBytes.order(try #require(left.baseAddress), try #require(right.baseAddress), count: 1)
            }
        }
        #expect(order.signum() == sign)
    }

    @Test func comparesBytes() {
        bytes.withUnsafeBytes { bytes in
            let empty = UnsafeRawBufferPointer(start: nil, count: 0)
            #expect(bytes.hasBytes(of: bytes) && empty.hasBytes(of: empty))
            #expect(!bytes.hasBytes(of: UnsafeRawBufferPointer(rebasing: bytes.dropLast())))
        }
    }

    @Test func overwritesWithZeros() {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { $0.wipe() }
        #expect(bytes == [0, 0, 0, 0, 0])
    }
}

struct MappedPagesTests {
    @Test func isZeroInitially() throws {
        let pages = try MappedPages(zeros: 10_000)
        #expect(pages.bytes.count == 10_000 && pages.bytes.allSatisfy { $0 == 0 })
        pages.start.storeBytes(of: 7, as: UInt8.self)
        #expect(pages.bytes[0] == 7)
    }

    @Test func failsIfTheMemoryIsNotAvailable() {
        #expect(systemError { () throws(SystemError) in _ = try MappedPages(zeros: 1 << 60) } != nil)
    }

    @Test func mapsAFileForReadingAndForSharedWriting() throws {
        let folder = try TemporaryFolder()
        let file = try FileDescriptor.open(try folder.file("file", Array("abc".utf8)), .readingAndWriting)
        defer { file.close() }
        let shared = try MappedPages(sharing: file, byteCount: 3)
        let reading = try MappedPages(reading: file, byteCount: 3)
        reading.expectRandomAccess()
        reading.readAhead(1..<3)
        shared.start.storeBytes(of: UInt8(ascii: "x"), as: UInt8.self)
        #expect(Array(reading.bytes) == Array("xbc".utf8))
        #expect(try RealCalls.shared.contents(of: file, from: 0, upTo: 3) == Array("xbc".utf8))
    }

    /// Released pages are read again when they are accessed. Memory that is no file keeps its bytes.
    @Test func releasesPagesOfAFile() throws {
        let folder = try TemporaryFolder()
        let bytes = [UInt8](repeating: 7, count: 16 << 20)
        let file = try FileDescriptor.open(try folder.file("file", bytes), .reading)
        defer { file.close() }
        let pages = try MappedPages(reading: file, byteCount: bytes.count)
        #expect(pages.bytes.elementsEqual(bytes))
        #expect(try residentBytes(of: pages) == bytes.count)
        pages.release(4_097..<bytes.count - 1)
        let resident = try residentBytes(of: pages)
        // The system may release more than it was asked to.
        #expect(resident <= 12_288)
        #expect(pages.bytes.elementsEqual(bytes))
        let memory = try MappedPages(zeros: 8_192)
        memory.start.storeBytes(of: 7, as: UInt8.self)
        memory.release(0..<8_192)
        #expect(memory.bytes[0] == 7)
    }

    /// How many bytes of the mapping are in the memory of this process: bit 63 of an entry of /proc/self/pagemap.
    private func residentBytes(of pages: borrowing MappedPages) throws -> Int {
        let pageBytes = 4_096
        let entries = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/pagemap"))
        try entries.seek(toOffset: UInt64(UInt(bitPattern: pages.start)) / UInt64(pageBytes) * 8)
        let bytes = try #require(try entries.read(upToCount: pages.byteCount / pageBytes * 8))
        return stride(from: 7, to: bytes.count, by: 8).count { bytes[$0] & 0x80 != 0 } * pageBytes
    }
}

struct FutexTests {
    @Test func returnsAtOnceIfTheWordHasChanged() throws {
        let pages = try MappedPages(zeros: 8)
        let start = MonotonicClock.milliseconds
        Futex.wait(pages.start, while: 1, milliseconds: 900)
        #expect(MonotonicClock.milliseconds - start < 900)
        Futex.wake(pages.start)
    }
}
