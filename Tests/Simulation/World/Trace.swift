import DirectoryStore

/// The events of a history. Two runs with the same seed have the same trace.
final class Trace {
    private let prints: Bool
    /// A checksum of all system calls.
    private(set) var check: UInt64 = 0xCBF2_9CE4_8422_2325

    /// - Parameter prints: whether each line is printed.
    init(prints: Bool) {
        self.prints = prints
    }

    /// The text is made only if it is printed.
    func note(_ text: @autoclosure () -> String) {
        guard prints else { return }
        print(text())
    }

    /// Adds numbers to the checksum.
    func add(_ numbers: Int...) {
        // FNV-1a, with whole words.
        for number in numbers { check = (check ^ UInt64(bitPattern: Int64(number))) &* 0x0000_0100_0000_01B3 }
    }
}
