internal import Synchronization

/// Splits the output of a program into lines without control characters. Of a long line only the start is kept.
final class OutputLines: Sendable {
    private let start = Mutex<[UInt8]>([])

    /// Takes the next bytes, and passes on each line that they complete.
    func take(_ bytes: ArraySlice<UInt8>, each pass: (String) -> Void) {
        for byte in bytes {
            if byte == 0x0A {
                end(each: pass)
            } else {
                start.withLock { if $0.count < Limits.outputLineBytesMax { $0.append(byte) } }
            }
        }
    }

    /// Passes on the line whose end has not come, if it has text.
    func end(each pass: (String) -> Void) {
        let bytes = start.withLock { start in
            defer { start = [] }
            return start
        }
        var line = String(decoding: bytes, as: UTF8.self)
        // They could overwrite text on a terminal.
        line.unicodeScalars.removeAll { $0.properties.generalCategory == .control }
        if !line.isEmpty { pass(line) }
    }
}
