import Accounts
import Glibc
import Store

extension Command {
    /// Prints all records as lines to edit.
    func export(_ options: Options) throws(CommandError) {
        let path = try directory(options)
        var settings = options.store
        settings.makesStore = false
        let log = Log(level: options.logLevel)
        // On a terminal the lines themselves show how far it is.
        let bar = isatty(1) == 1 ? nil : ProgressBar()
        defer { bar?.end() }
        var output: [UInt8] = []
        var lines = 0
        do {
            let engine = try LocalEngine(directory: path, settings: settings) { log.write(.warning, $0) }
            defer { engine.close() }
            try StoreExport.write(engine) { line in
                output += line
                lines += 1
                guard output.count >= Self.pieceBytes else { return }
                try Self.write(output)
                bar?.show(Progress(phase: "exporting", done: lines, total: nil))
                output.removeAll(keepingCapacity: true)
            }
            try Self.write(output)
        } catch let error as CommandError {
            throw error
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Makes a store of lines that were exported.
    func importExport(_ options: Options) throws(CommandError) {
        let path = try directory(options)
        let bar = ProgressBar()
        var incoming = StoreImport(RecordTypes.all)
        var lines = 0
        try Self.readLines(of: options.words.first) { line in
            incoming.take(line)
            lines += 1
            if lines % Self.linesBetweenLooks == 0 {
                bar.show(Progress(phase: "reading", done: lines, total: nil))
            }
        }
        bar.end()
        incoming.finish()
        for fault in incoming.faults.prefix(Self.faultsShownMax) {
            StandardError.write(line: fault.line.map { "line \($0): \(fault.reason)" } ?? fault.reason)
        }
        guard incoming.faults.isEmpty else {
            throw .failed("nothing was imported; what is wrong: \(incoming.faults.count)")
        }
        do throws(StoreError) {
            try incoming.write(to: path, settings: options.store, progress: bar.show)
        } catch {
            bar.end()
            throw .failed("\(error)")
        }
        bar.end()
        print("imported: \(incoming.records) records into \(path)")
    }

    /// How much is read or written at once.
    private static let pieceBytes = 1 << 20
    private static let faultsShownMax = 100
    /// After how many lines it is shown how far the work is.
    private static let linesBetweenLooks = 1_000

    private static func write(_ bytes: [UInt8]) throws(CommandError) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .failed("write: \(String(cString: strerror(errno)))") }
            written += count
        }
    }

    /// Calls `take` with each line of a file, or of what comes in.
    private static func readLines(of name: String?, _ take: (ArraySlice<UInt8>) -> Void) throws(CommandError) {
        let descriptor = name.map { open($0, O_RDONLY | O_CLOEXEC) } ?? 0
        guard descriptor >= 0 else { throw .failed("\(name ?? ""): \(String(cString: strerror(errno)))") }
        defer { if name != nil { close(descriptor) } }
        var pending: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: pieceBytes)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .failed("read: \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            pending += piece[..<count]
            var start = 0
            while let end = pending[start...].firstIndex(of: 0x0A) {
                take(pending[start..<end])
                start = end + 1
            }
            pending.removeFirst(start)
        }
        if !pending.isEmpty { take(pending[...]) }
    }
}
