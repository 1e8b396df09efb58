import Store

/// Preallocated room after a journal's last line.
///
/// A sync takes half as long again if the file has grown, because its new length has to reach the disk too. So the file
/// grows by the room for many lines at a time, and is truncated to its last line when it is closed. Cost: the length of
/// the file does not show where the journal ends, and the file ends in room while it is in use or after a crash.
enum JournalRoom {
    /// The byte that fills the room: white space to JSON readers, and never a byte of a line.
    static let filler = UInt8(ascii: "\t")

    /// The torn tail in the bytes after the last whole line: these bytes without the room at their end.
    static func torn(_ rest: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        rest[..<(rest.lastIndex { $0 != filler }.map { $0 + 1 } ?? rest.startIndex)]
    }
}
