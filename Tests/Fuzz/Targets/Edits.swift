/// A list of changes to a file, parsed from a target's input, four bytes a change:
///
///     operation, offset (two bytes, big-endian), value
struct Edits {
    private let bytes: ArraySlice<UInt8>

    /// A file longer than this is not changed further: repeated duplication of a line would use all memory.
    private static let bytesMax = 1 << 16

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    /// The file with all changes applied in order.
    ///
    /// - Parameter keepsLength: Whether to skip changes of the file's length.
    func applied(to original: [UInt8], keepsLength: Bool) -> [UInt8] {
        var file = original
        var rest = bytes
        while rest.count >= 4, !file.isEmpty, file.count <= Self.bytesMax {
            let change = Array(rest.prefix(4))
            rest = rest.dropFirst(4)
            let place = (Int(change[1]) << 8 | Int(change[2])) % file.count
            apply(change[0] % 11, at: place, change[3], to: &file, keepsLength: keepsLength)
        }
        return file
    }

    private func apply(_ operation: UInt8, at place: Int, _ value: UInt8, to file: inout [UInt8], keepsLength: Bool) {
        let end = min(file.count, place + Int(value) + 1)
        switch operation {
        case 0: file[place] = value
        case 1: file[place] ^= value | 1
        case 2: fill(place..<end, of: &file, with: UInt8(ascii: " "))
        case 3:
            let start = place / 512 * 512
            fill(start..<min(file.count, start + 512), of: &file, with: value % 2 == 0 ? 0 : UInt8(ascii: "\t"))
        case 4: swapLines(place, Int(value), of: &file)
        case 5:
            // Copies a part of the file over another part.
            let from = Int(value) * 37 % file.count
            let count = min(64, file.count - from, file.count - place)
            file.replaceSubrange(place..<place + count, with: Array(file[from..<from + count]))
        case 6 where !keepsLength: file.removeSubrange(place..<end)
        case 7 where !keepsLength: file.insert(value, at: place)
        case 8 where !keepsLength: file.removeSubrange(place...)
        case 9 where !keepsLength:
            file += [UInt8](repeating: value % 2 == 0 ? UInt8(ascii: "\t") : 0, count: Int(value) * 16)
        case 10 where !keepsLength:
            let lines = Self.lines(of: file)
            file += file[lines[place % lines.count]]
        default: break
        }
    }

    private func fill(_ place: Range<Int>, of file: inout [UInt8], with byte: UInt8) {
        for index in place { file[index] = byte }
    }

    private func swapLines(_ first: Int, _ second: Int, of file: inout [UInt8]) {
        let lines = Self.lines(of: file)
        let (low, high) = (
            min(first % lines.count, second % lines.count), max(first % lines.count, second % lines.count)
        )
        guard low < high else { return }
        let (lowLine, highLine) = (Array(file[lines[low]]), Array(file[lines[high]]))
        file.replaceSubrange(lines[high], with: lowLine)
        file.replaceSubrange(lines[low], with: highLine)
    }

    /// The ranges of a file's lines, each with its line feed.
    static func lines(of file: [UInt8]) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        for (index, byte) in file.enumerated() where byte == 0x0A {
            lines.append(start..<index + 1)
            start = index + 1
        }
        if start < file.count { lines.append(start..<file.count) }
        return lines
    }
}
