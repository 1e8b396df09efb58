internal import JSON
import Store

/// Reads the intact lines of a base whose bytes may have been changed, inserted or removed.
///
/// The checksum of a line covers the line's offset. After bytes that were inserted or removed, all lines have other
/// offsets, so none of them matches its checksum. The original offset of a line is therefore computed from its
/// checksum. This gives an offset for damaged lines too, but if two lines were moved by the same distance, both are
/// intact.
struct BaseSalvage {
    /// A result of the search.
    enum Finding {
        case entry(StoreKey, value: [UInt8])
        /// A line that is lost, and the key that it seems to have.
        case lost(offset: Int, key: String?)
        /// From this offset on, lines are moved by this number of bytes from their original offsets; negative if bytes
        /// were removed.
        case moved(offset: Int, bytes: Int)
    }

    private let headerCheck: UInt32
    private let lines: [(offset: Int, line: ArraySlice<UInt8>)]
    /// The distance by which the end of the file was moved.
    private let endShift: Int

    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - length: the length of the file according to the manifest.
    init(_ bytes: [UInt8], _ header: FileHeader, length: Int) {
        headerCheck = header.check
        lines = Lines(bytes, behind: header).map { $0 }
        endShift = bytes.count - length
    }

    /// Calls `visit` with each finding, in the order of the file.
    func forEach(_ visit: (Finding) -> Void) {
        var shift = 0
        for (index, (offset, line)) in lines.enumerated() {
            if self.shift(at: index) != shift, let moved = agreedShift(at: index) {
                shift = moved
                visit(.moved(offset: offset, bytes: moved))
            }
            guard self.shift(at: index) == shift, let (key, value) = Self.entry(of: line) else {
                visit(.lost(offset: offset, key: Self.key(of: line)))
                continue
            }
            visit(.entry(key, value: value))
        }
    }

    /// The distance by which a line was moved, if it is intact; nil if it does not have the form of a line.
    private func shift(at index: Int) -> Int? {
        let (offset, line) = lines[index]
        guard line.count > BaseFile.sealBytes else { return nil }
        let seal = line.suffix(BaseFile.sealBytes)
        let check = seal.withUnsafeBytes { seal -> UInt32? in
            guard seal.starts(with: ",\"".utf8), seal[10...].elementsEqual("\"]".utf8) else { return nil }
            return UInt32(hex: UnsafeRawBufferPointer(rebasing: seal[2..<10]))
        }
        guard let check else { return nil }
        return line.dropLast(BaseFile.sealBytes).withUnsafeBytes { content in
            offset - BaseFile.originalOffset(of: content, check: check, headerCheck, near: offset)
        }
    }

    /// The distance by which a line was moved, if one of the next lines or the end of the file was moved by the same
    /// distance.
    private func agreedShift(at index: Int) -> Int? {
        guard let shift = shift(at: index) else { return nil }
        let next = (index + 1)..<min(lines.count, index + 1 + Self.linesCompared)
        return shift == endShift || next.contains { self.shift(at: $0) == shift } ? shift : nil
    }

    /// How many of the next lines are compared, because some of them may be damaged too.
    private static let linesCompared = 8

    private static func entry(of line: ArraySlice<UInt8>) -> (StoreKey, [UInt8])? {
        line.withUnsafeBytes { line in
            var reader = JSONReader(line)
            do throws(JSONError) {
                try reader.beginArray()
                guard try reader.nextElement() else { return nil }
                let key = StoreKey(bytes: Array(try reader.text().string.utf8))
                guard try reader.nextElement() else { return nil }
                return (key, Array(try reader.raw()))
            } catch {
                return nil
            }
        }
    }

    /// The key that a damaged line seems to have.
    private static func key(of line: ArraySlice<UInt8>) -> String? {
        let quote = UInt8(ascii: "\"")
        guard let start = line.firstIndex(of: quote), let end = line[(start + 1)...].firstIndex(of: quote) else {
            return nil
        }
        return String(decoding: line[(start + 1)..<end], as: UTF8.self)
    }
}

/// The lines of a file without their line feeds, each with its offset.
struct Lines: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var offset: Int

    /// The lines after the first line, which is the file's header. A damaged header may have another length.
    ///
    /// - Parameter header: nil if it is lost.
    init(_ bytes: [UInt8], behind header: FileHeader?) {
        self.bytes = bytes
        let whole = header.flatMap { bytes.starts(with: $0.bytes) ? $0.bytes.count : nil }
        let start = whole ?? bytes.firstIndex(of: 0x0A).map { $0 + 1 }
        offset = start ?? bytes.count
    }

    mutating func next() -> (offset: Int, line: ArraySlice<UInt8>)? {
        guard offset < bytes.count else { return nil }
        let start = offset
        let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
        offset = end + 1
        return (start, bytes[start..<end])
    }
}
