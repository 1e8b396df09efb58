/// Reads rows of comma-separated values (RFC 4180). It reads the file in pieces, and keeps one row.
///
///     email,first_name⏎            line 1: email | first_name
///     a@b.co,"Ann ""A"", B"⏎       line 2: a@b.co | Ann "A", B
///
/// A line ends with LF or CRLF. Empty lines and a byte order mark are skipped.
struct CSVReader {
    /// A row, and the number of the line in which it starts.
    struct Row {
        let line: Int
        let fields: [ArraySlice<UInt8>]
    }

    private enum State { case fieldStart, plain, quoted, afterQuote, afterReturn }

    private let file: InputFile
    private var piece: ArraySlice<UInt8> = []
    private var line = 1
    private var isFirst = true

    /// The maximum bytes of a row.
    private static let rowBytesMax = 1 << 20
    private static let quote = UInt8(ascii: "\"")

    init(_ file: InputFile) {
        self.file = file
    }

    /// The next row; nil at the end of the file.
    mutating func next() throws(CommandError) -> Row? {
        while true {
            let row = try nextLine()
            guard let row else { return nil }
            if row.fields.count > 1 || row.fields.first?.isEmpty == false { return row }
        }
    }

    /// The next row, which may be empty.
    private mutating func nextLine() throws(CommandError) -> Row? {
        let start = line
        var text: [UInt8] = []
        var ends: [Int] = []
        var state = State.fieldStart
        var isQuoted = false
        while let byte = try nextByte() {
            if byte == UInt8(ascii: "\n") { line += 1 }
            switch (state, byte) {
            case (.quoted, Self.quote): state = .afterQuote
            case (.afterQuote, Self.quote):
                text.append(byte)
                state = .quoted
            case (.quoted, _): text.append(byte)
            case (.fieldStart, Self.quote): (state, isQuoted) = (.quoted, true)
            case (.plain, Self.quote): throw failure("a quote in a field that does not begin with one", start)
            case (.afterReturn, _) where byte != UInt8(ascii: "\n"):
                throw failure("a carriage return without a line feed", start)
            case (_, UInt8(ascii: "\n")): return row(text, ends, start)
            case (_, UInt8(ascii: ",")):
                ends.append(text.count)
                state = .fieldStart
            case (_, UInt8(ascii: "\r")): state = .afterReturn
            case (.afterQuote, _): throw failure("text after the quote that ends a field", start)
            default:
                text.append(byte)
                state = .plain
            }
            if text.count > Self.rowBytesMax {
                throw failure("the row is longer than \(Self.rowBytesMax) bytes", start)
            }
        }
        switch state {
        case .quoted: throw failure("a quoted field does not end", start)
        case .afterReturn: throw failure("a carriage return without a line feed", start)
        // The last line may lack its line feed.
        case .fieldStart, .plain, .afterQuote:
            return text.isEmpty && ends.isEmpty && !isQuoted ? nil : row(text, ends, start)
        }
    }

    private func row(_ text: [UInt8], _ ends: [Int], _ start: Int) -> Row {
        let starts = [0] + ends
        return Row(line: start, fields: zip(starts, ends + [text.count]).map { text[$0..<$1] })
    }

    private mutating func nextByte() throws(CommandError) -> UInt8? {
        if piece.isEmpty {
            piece = try file.read()
            if isFirst {
                isFirst = false
                if piece.starts(with: [0xEF, 0xBB, 0xBF]) { piece = piece.dropFirst(3) }
            }
        }
        return piece.popFirst()
    }

    /// The error for a file that is not in the format.
    private func failure(_ reason: String, _ line: Int) -> CommandError {
        .failed("\(file.name): line \(line): \(reason)")
    }
}
