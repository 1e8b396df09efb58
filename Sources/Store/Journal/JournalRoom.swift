/// Room behind a journal's last line, laid out for the lines to come.
///
/// A sync takes half as long again where the file has grown, as its new length has to reach the disk too. So the file
/// grows by many lines' room at a time, and is cut back to its last line when it is closed. What is given up for that is a
/// journal whose length tells where it ends, and a tidy end while it is in use, or after a crash.
enum JournalRoom {
    /// What it is filled with: white space to whatever reads JSON, and never a byte of a line.
    static let filler = UInt8(ascii: "\t")

    /// The bytes from behind the last whole line, but for the room at their end: what is left was written, and cut off.
    static func torn(_ rest: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        rest[..<(rest.lastIndex { $0 != filler }.map { $0 + 1 } ?? rest.startIndex)]
    }
}
