/// A name and a password, each on a line of its own.
enum TwoLines {
    /// Reads the text of an attempt. The line feed after the password is optional. A carriage return belongs to the
    /// password, which is never altered.
    ///
    /// - Returns: nil if there are more or fewer lines, as after a name with a line feed in it: the password of such an
    ///   attempt is not what the person gave as one.
    static func read(_ text: [UInt8]) -> (name: ArraySlice<UInt8>, password: ArraySlice<UInt8>)? {
        let lineFeed = UInt8(ascii: "\n")
        let lines = (text.last == lineFeed ? text.dropLast() : text[...])
            .split(separator: lineFeed, omittingEmptySubsequences: false)
        return lines.count == 2 ? (lines[0], lines[1]) : nil
    }
}
