internal import Platform

/// The last part of the stderr of a program that sends a mail, for `postern outbox list`.
///
/// The pipe is drained while the program runs, so that a program that writes much is not blocked.
struct ErrorOutput: ~Copyable {
    private let reader: FileDescriptor
    private let observe: (ArraySlice<UInt8>) -> Void
    private var bytes: [UInt8] = []
    private var isCut = false

    /// - Parameters:
    ///   - reader: the descriptor to read from. This value closes it.
    ///   - observe: takes all bytes, as they come.
    init(reading reader: FileDescriptor, observe: @escaping (ArraySlice<UInt8>) -> Void) {
        (self.reader, self.observe) = (reader, observe)
        reader.stopBlocking()
    }

    deinit { reader.close() }

    /// The descriptor that is readable when stderr has more bytes.
    var descriptor: FileDescriptor { reader }

    /// Reads all available bytes and keeps the last of them. Returns false at the end of the stream.
    mutating func drain() -> Bool {
        var piece = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count: Int
            do throws(SystemError) {
                count = try reader.read(into: &piece)
            } catch {
                return error == .wouldBlock
            }
            guard count > 0 else { return false }
            observe(piece[..<count])
            bytes += piece[..<count]
            guard bytes.count > Limits.errorOutputBytesKept else { continue }
            bytes.removeFirst(bytes.count - Limits.errorOutputBytesKept)
            isCut = true
        }
    }

    /// The last part of stderr as one line, without words of the mail; nil if it is empty.
    func text(without message: InternetMessage) -> String? {
        FailureDetail.line(bytes[...], isCut: isCut, without: message.words)
    }
}
