import Foundation

/// The writable memory of another process, as root can read it.
package struct ProcessMemoryScan {
    private let process: Int32

    package init(of process: Int32) {
        self.process = process
    }

    /// How often each text occurs in memory.
    ///
    /// - Throws: If the memory cannot be read at all.
    package func counts(of texts: [String]) throws -> [Int] {
        let needles = texts.map { Array($0.utf8) }
        var counts = texts.map { _ in 0 }
        let maps = try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)
        let memory = open("/proc/\(process)/mem", O_RDONLY | O_CLOEXEC)
        guard memory >= 0 else { throw CocoaError(.fileReadNoPermission) }
        defer { close(memory) }
        for line in maps.split(separator: "\n") {
            let words = line.split(separator: " ")
            let ends = words[0].split(separator: "-").compactMap { Int($0, radix: 16) }
            guard words.count > 1, words[1].hasPrefix("rw"), ends.count == 2 else { continue }
            var bytes = [UInt8](repeating: 0, count: ends[1] - ends[0])
            // Memory that the process has unmapped meanwhile cannot be read.
            let count = pread(memory, &bytes, bytes.count, off_t(ends[0]))
            for (index, needle) in needles.enumerated() {
                counts[index] += Self.count(of: needle, in: bytes.prefix(max(0, count)))
            }
        }
        return counts
    }

    private static func count(of needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { bytes in
            var count = 0
            guard var place = bytes.baseAddress else { return 0 }
            let end = place + bytes.count
            // Search only positions where the whole text fits.
            while end - place >= needle.count,
                let found = memchr(place, Int32(needle[0]), end - place - needle.count + 1)
            {
                if memcmp(found, needle, needle.count) == 0 { count += 1 }
                place = UnsafeRawPointer(found) + 1
            }
            return count
        }
    }
}
