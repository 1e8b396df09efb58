internal import JSON

/// Reads what is intact of a base whose bytes may have been changed, and inserted or removed.
///
/// The check of a line covers where the line is. Behind bytes that were inserted or removed all lines are elsewhere, and
/// none seems to match. So the place that a line was written at is computed back from its check. Any line has such a place,
/// a damaged one too, but two that agree how far they were moved are intact.
struct BaseSalvage {
    /// What was found.
    enum Finding {
        case entry(StoreKey, value: [UInt8])
        /// A line that is lost, with the key that it seems to have.
        case lost(offset: Int, key: String?)
        /// From an offset on, lines are so many bytes behind where they were written; negative before it.
        case moved(offset: Int, bytes: Int)
    }

    private let headerCheck: UInt32
    private let lines: [(offset: Int, line: ArraySlice<UInt8>)]
    /// How far the end of the file was moved.
    private let endShift: Int

    /// - Parameters:
    ///   - bytes: all of the file.
    ///   - length: how long the file was, as the manifest has it.
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

    /// How far a line has been moved if it is intact; nil if it has not the form of a line.
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

    /// How far a line has been moved, if one of the next lines agrees, or if the end of the file does.
    private func agreedShift(at index: Int) -> Int? {
        guard let shift = shift(at: index) else { return nil }
        let next = (index + 1)..<min(lines.count, index + 1 + Self.linesAsked)
        return shift == endShift || next.contains { self.shift(at: $0) == shift } ? shift : nil
    }

    /// How many lines behind one are asked whether they agree: some of them may be damaged themselves.
    private static let linesAsked = 8

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

/// The lines of a file, with the offset of each, without their line feeds.
struct Lines: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var offset: Int

    /// The lines behind the first one, the file's header: where that is damaged, it may have another length.
    init(_ bytes: [UInt8], behind header: FileHeader) {
        self.bytes = bytes
        let start = bytes.starts(with: header.bytes) ? header.bytes.count : bytes.firstIndex(of: 0x0A).map { $0 + 1 }
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
