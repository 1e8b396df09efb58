/// Splits the output of a program into lines without control characters. Of a long line only the start is kept.
final class OutputLines {
    private var start: [UInt8] = []

    /// Takes the next bytes, and passes on each line that they complete.
    func take(_ bytes: ArraySlice<UInt8>, each pass: (String) -> Void) {
        for byte in bytes {
            if byte == 0x0A {
                end(each: pass)
            } else if start.count < Limits.outputLineBytesMax {
                start.append(byte)
            }
        }
    }

    /// Passes on the line whose end has not come, if it has text.
    func end(each pass: (String) -> Void) {
        var line = String(decoding: start, as: UTF8.self)
        start = []
        // They could overwrite text on a terminal.
        line.unicodeScalars.removeAll { $0.properties.generalCategory == .control }
        if !line.isEmpty { pass(line) }
    }
}
