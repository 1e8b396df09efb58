import Platform

/// This process's stderr.
enum StandardError {
    /// Writes a line; drops the rest of it if a write fails.
    static func write(line: String) {
        var line = line + "\n"
        line.withUTF8 { text in
            _ = WholeWrite.runWithoutSIGPIPE(UnsafeRawBufferPointer(text), to: .standardError)
        }
    }
}
